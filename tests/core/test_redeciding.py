from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router.core.decision_id import decision_id
from router.core.event import Rejected
from router.core.line import Outcome
from router.core.record import OutRecord, Source
from router.core.redeciding import (
    NO_DECISION,
    Comparison,
    Made,
    Past,
    made_of,
    read_decision,
    share_out,
)
from tests.core.test_records import SOURCE, decision_on, written

PLACE = (SOURCE.topic, SOURCE.partition)

made = st.builds(
    Made,
    st.sampled_from(["fraud", "cards", "router.review"]),
    st.sampled_from(["intent", "rule", "fallback"]),
    st.none() | st.floats(0, 1).map(lambda share: round(share, 4)),
)


def outcome(source: Source = SOURCE, **changed: Any) -> Outcome:
    decision = replace(decision_on(), source=source, **changed)
    return Outcome(
        source=source,
        channel="chat",
        kind="routed",
        decision=decision,
        rejected=None,
        records=(OutRecord("queue.cards", None, None, ()),),
        timings={},
        broker_time=0.0,
    )


def test_a_decision_is_read_from_the_log_as_it_was_made() -> None:
    decision = decision_on()
    log = written(decision)[-1]
    expected = Made(decision.queue, decision.reason, decision.confidence)
    assert read_decision(log.value) == (SOURCE, expected)


@given(st.none() | st.binary(max_size=30) | st.dictionaries(st.text(), st.text()).map(orjson.dumps))
def test_what_is_no_decision_is_passed_over(value: bytes | None) -> None:
    assert read_decision(value) is None


@given(st.dictionaries(st.integers(5, 30), made), st.integers(0, 20), st.integers(0, 20))
def test_what_was_decided_is_remembered_exactly(
    decided: dict[int, Made], first: int, length: int
) -> None:
    end = first + length
    past = Past({PLACE: (first, end)})
    for offset, one in decided.items():
        assert past.add(Source(*PLACE, offset), one) is (offset < end)
    for offset in range(first, end):
        assert past.get(Source(*PLACE, offset)) == decided.get(offset)


def test_a_decision_about_another_partition_changes_nothing() -> None:
    past = Past({PLACE: (0, 10)})
    past.add(Source(SOURCE.topic, 99, 5), Made("fraud", "rule", None))
    past.add(Source("elsewhere", SOURCE.partition, 5), Made("fraud", "rule", None))
    assert past.get(Source(*PLACE, 5)) is None


@given(st.lists(st.tuples(st.none() | made, made), max_size=30), st.integers(0, 5))
def test_a_comparison_counts_what_changes(pairs: list[tuple[Made | None, Made]], keep: int) -> None:
    found = Comparison(keep)
    for offset, (old, new) in enumerate(pairs):
        decided = outcome(
            Source(*PLACE, offset), queue=new.queue, reason=new.reason, confidence=new.confidence
        )
        found.add(decided, old)
    both = [(old, new) for old, new in pairs if old is not None]
    differ = [(o, n) for o, n in both if (o.queue, o.reason) != (n.queue, n.reason)]
    assert (found.records, found.unmatched) == (len(pairs), len(pairs) - len(both))
    assert (found.matched, found.changed) == (len(both), len(differ))
    assert found.moved == sum(old.queue != new.queue for old, new in both)
    assert found.queues == Counter((o.queue if o else NO_DECISION, n.queue) for o, n in pairs)
    assert +found.reasons == Counter((o.reason, n.reason) for o, n in both if o.reason != n.reason)
    assert [(one.old, one.new) for one in found.changes] == differ[:keep]
    assert found.share_changed == (len(differ) / len(both) if both else 0)


def test_a_change_names_the_decision_even_where_it_would_be_a_dead_letter_now() -> None:
    rejected = Rejected("missing_field", "time", "time is required.")
    now = replace(outcome(), decision=None, rejected=rejected)
    assert made_of(now) == Made("router.dead-letter", "missing_field", None)
    found = Comparison(1)
    found.add(now, Made("cards", "intent", 0.9))
    assert found.changes[0].decision_id == decision_id(SOURCE)
    assert found.changes[0].event_id is None


ranges = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3)),
    st.tuples(st.integers(0, 100), st.integers(0, 50)).map(lambda p: (p[0], p[0] + p[1])),
)


@given(ranges, st.integers(1, 200))
def test_a_limit_is_shared_out_and_used_up(
    given_ranges: dict[tuple[str, int], tuple[int, int]], limit: int
) -> None:
    cut = share_out(given_ranges, limit)
    lengths = {place: end - first for place, (first, end) in cut.items()}
    wanted = {place: end - first for place, (first, end) in given_ranges.items()}
    assert list(cut) == list(given_ranges)
    assert all(cut[place][0] == given_ranges[place][0] for place in cut)
    assert sum(lengths.values()) == min(limit, sum(wanted.values()))
    short = [lengths[place] for place in cut if lengths[place] < wanted[place]]
    assert not short or max(short) - min(short) <= 1
