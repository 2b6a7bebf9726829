"""Lag, computed when it is asked for: it grows while the stream is stuck."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from router.core.clock import Clock
from router.ops.declarations import LAG_RECORDS, LAG_SECONDS


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One assigned partition. ``waiting_since`` is the broker time (seconds, UTC) of its oldest
    undecided record; None when it is not known or none waits."""

    topic: str
    partition: int
    records: int
    waiting_since: float | None


LagSource = Callable[[], Iterable[PartitionLag]]
"""Called from the metrics server's thread: it must read only, and take no lock of the loop's."""


def no_lag() -> Iterable[PartitionLag]:
    return ()


class LagCollector(Collector):
    """The lag gauges. A partition that is no longer assigned is no longer shown."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.source: LagSource = no_lag

    def collect(self) -> Iterator[Metric]:
        records = GaugeMetricFamily(LAG_RECORDS.name, LAG_RECORDS.doc, labels=LAG_RECORDS.labels)
        seconds = GaugeMetricFamily(LAG_SECONDS.name, LAG_SECONDS.doc, labels=LAG_SECONDS.labels)
        now = self._clock.now()
        for lag in self._read():
            labels = (lag.topic, str(lag.partition))
            records.add_metric(labels, max(0, lag.records))
            seconds.add_metric(labels, _age(lag, now))
        yield records
        yield seconds

    def _read(self) -> list[PartitionLag]:
        try:
            return list(self.source())
        except RuntimeError:  # the stream changed a dict while we read it: once more
            return list(self.source())


def _age(lag: PartitionLag, now: float) -> float:
    if lag.records <= 0 or lag.waiting_since is None:
        return 0.0
    return max(0.0, now - lag.waiting_since)
