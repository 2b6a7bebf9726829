"""Histograms of whole batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from router.ops.declarations import Declared
from router.ops.histograms import BatchHistogram

METRIC = Declared("waited_seconds", "histogram", "How long.", ("channel",), (0.1, 1, 2.5))


def shown(registry: CollectorRegistry) -> list[str]:
    """What a scrape gets, but for the library's own creation times."""
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]


@given(
    st.lists(st.lists(st.floats(0, 5) | st.sampled_from((0.1, 1.0, 2.5)), max_size=20), max_size=5)
)
def test_a_scrape_shows_what_the_librarys_own_histogram_would(batches: list[list[float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    batched = BatchHistogram(METRIC)
    ours.register(batched)
    single = Histogram(
        METRIC.name, METRIC.doc, METRIC.labels, registry=theirs, buckets=METRIC.buckets
    )
    for channel in ("chat", "email"):
        batched.observe((channel,))
        single.labels(channel)
    for number, batch in enumerate(batches):
        channel = "email" if number % 2 else "chat"
        batched.observe((channel,), batch)
        for value in batch:
            single.labels(channel).observe(value)
    assert _counts(shown(ours)) == _counts(shown(theirs))
    for mine, other in zip(_sums(shown(ours)), _sums(shown(theirs)), strict=True):
        assert abs(mine - other) < 1e-9


def _counts(lines: list[str]) -> list[str]:
    return [line for line in lines if "_sum" not in line]


def _sums(lines: list[str]) -> list[float]:
    return [float(line.rsplit(" ", 1)[1]) for line in lines if "_sum" in line]


def test_a_series_without_values_is_not_there() -> None:
    registry = CollectorRegistry()
    registry.register(BatchHistogram(METRIC))
    assert not any(line.startswith("waited") for line in shown(registry))
