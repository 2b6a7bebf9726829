"""The demo's book must not be fooled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.core.record import Source
from router.core.topics import DEAD_LETTER, IGNORED, REVIEW
from router.demo.ledger import Ledger, Seen, Sent

QUEUES = ("fraud", "cards", REVIEW, DEAD_LETTER, IGNORED)


def _source(offset: int) -> Source:
    return Source("messages.chat", 0, offset)


def _sent(offset: int, at: float = 0.0) -> Sent:
    return Sent(_source(offset), f"event-{offset}", "words", at)


def _seen(offset: int, queue: str = "fraud", at: float = 1.0, event_id: str | None = None) -> Seen:
    named = event_id or (None if queue == DEAD_LETTER else f"event-{offset}")
    return Seen(_source(offset), queue, "intent", 0.9, named, at)


@given(st.lists(st.sampled_from(QUEUES), min_size=1, max_size=30), st.randoms())
def test_the_order_of_arrival_makes_no_difference(queues: list[str], rng: object) -> None:
    steps = []
    for offset, queue in enumerate(queues):
        steps += [("emit", offset, queue), ("decide", offset, queue)]
        if queue not in (DEAD_LETTER, IGNORED):
            steps.append(("copy", offset, queue))
    rng.shuffle(steps)  # type: ignore[attr-defined]  # a random.Random
    ledger = Ledger()
    for step, offset, queue in steps:
        if step == "emit":
            ledger.emit(_sent(offset))
        elif step == "decide":
            ledger.decide(_seen(offset, queue))
        else:
            ledger.copy(_source(offset), queue)
    assert ledger.missing() == []
    assert ledger.problems == []
    assert ledger.emitted == ledger.decided == sum(ledger.kinds().values()) == len(queues)


def test_a_record_without_an_outcome_is_missing() -> None:
    ledger = Ledger()
    ledger.emit(_sent(1))
    ledger.emit(_sent(2))
    ledger.decide(_seen(1))
    ledger.copy(_source(1), "fraud")
    assert [sent.event_id for sent in ledger.missing()] == ["event-2"]


def test_a_decision_whose_copy_went_astray_is_missing() -> None:
    ledger = Ledger()
    ledger.emit(_sent(1))
    ledger.decide(_seen(1, REVIEW))
    assert len(ledger.missing()) == 1
    assert ledger.problems == []


def test_a_copy_on_another_queue_is_a_problem() -> None:
    ledger = Ledger()
    ledger.emit(_sent(1))
    ledger.copy(_source(1), "cards")
    ledger.decide(_seen(1, "fraud"))
    assert ledger.problems == ["messages.chat/0/1 was decided for fraud, is on cards"]


def test_a_copy_of_what_was_ignored_is_a_problem() -> None:
    ledger = Ledger()
    ledger.emit(_sent(1))
    ledger.copy(_source(1), "cards")
    ledger.decide(_seen(1, IGNORED))
    assert ledger.problems == ["messages.chat/0/1 was decided for router.ignored, is on cards too"]


def test_a_repeat_is_counted_once_and_told() -> None:
    ledger = Ledger()
    ledger.emit(_sent(1))
    ledger.decide(_seen(1))
    ledger.decide(_seen(1))
    assert (ledger.decided, ledger.repeats, ledger.problems) == (1, 1, [])


def test_a_repeat_that_says_otherwise_is_a_problem() -> None:
    ledger = Ledger()
    ledger.decide(_seen(1, "fraud"))
    ledger.decide(_seen(1, "cards"))
    assert ledger.problems == ["messages.chat/0/1 was decided twice, and not alike"]


def test_an_outcome_under_another_events_id_is_a_problem() -> None:
    ledger = Ledger()
    ledger.emit(_sent(1))
    ledger.decide(_seen(1, event_id="event-7"))
    assert ledger.problems == ["messages.chat/0/1 was decided under another event's id"]


def test_what_others_emitted_is_not_counted() -> None:
    ledger = Ledger()
    ledger.decide(_seen(5))
    ledger.copy(_source(5), "fraud")
    assert (ledger.decided, sum(ledger.kinds().values()), ledger.latency()) == (0, 0, None)


def test_latency_is_read_from_waits_that_did_occur() -> None:
    ledger = Ledger()
    for offset in range(100):
        ledger.emit(_sent(offset, at=0.0))
        ledger.decide(_seen(offset, at=float(offset + 1)))
    latency = ledger.latency()
    assert latency is not None
    assert (latency.p50, latency.p95, latency.p99) == (51.0, 96.0, 100.0)


def test_confidence_is_the_queues_mean() -> None:
    ledger = Ledger()
    for offset, confidence in enumerate((0.5, 1.0)):
        ledger.emit(_sent(offset))
        ledger.decide(Seen(_source(offset), "cards", "intent", confidence, f"event-{offset}", 1.0))
    assert ledger.mean_confidence("cards") == 0.75
    assert ledger.mean_confidence("fraud") is None
