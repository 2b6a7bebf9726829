"""Histograms that are given a batch's values at once.

The client library's own takes a value at a time, with a lock and three additions for each, which
is more than copying a record costs. Here a batch is counted first and added under one lock.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from router.ops.declarations import Declared


@dataclass(slots=True)
class _Series:
    """``counts`` are cumulative, as they are shown: the last one has no upper bound."""

    counts: list[int]
    total: float = 0.0


class BatchHistogram(Collector):
    """One metric; each set of label values is a series. Thread-safe."""

    def __init__(self, metric: Declared) -> None:
        self._metric = metric
        self._bounds = metric.buckets
        self._series: dict[tuple[str, ...], _Series] = {}
        self._lock = threading.Lock()

    def observe(self, labels: tuple[str, ...], values: Iterable[float] = ()) -> None:
        """Add ``values``; without any, the series is shown from nought."""
        ordered = sorted(values)  # then a look for each bound, and not for each value
        counts = [*(bisect_right(ordered, bound) for bound in self._bounds), len(ordered)]
        total = math.fsum(ordered)
        with self._lock:
            known = self._series.get(labels)
            if known is None:
                self._series[labels] = _Series(counts, total)
                return
            known.counts = [old + new for old, new in zip(known.counts, counts, strict=True)]
            known.total += total

    def describe(self) -> Iterator[Metric]:
        """Its name, for the registry, which then need not collect it to know."""
        yield self._family()

    def collect(self) -> Iterator[Metric]:
        family = self._family()
        with self._lock:
            found = {labels: (one.counts, one.total) for labels, one in self._series.items()}
        for labels, (counts, total) in found.items():
            bounds = [*map(floatToGoString, self._bounds), "+Inf"]
            cumulative = list(zip(bounds, map(float, counts), strict=True))
            family.add_metric(labels, cumulative, total)
        yield family

    def _family(self) -> HistogramMetricFamily:
        metric = self._metric
        return HistogramMetricFamily(metric.name, metric.doc, labels=metric.labels)
