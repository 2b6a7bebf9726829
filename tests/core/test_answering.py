"""Canary and shadow in the line: who answers, who only watches, and what neither can spoil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.assembly import open_validators
from router.core.asking import ask
from router.core.choosing import Model, ModelSet, in_share, under_the_name
from router.core.circumstances import Circumstances
from router.core.decision import Decision
from router.core.line import Line
from router.core.prediction import FlagScore, IntentScore, ModelRef, Prediction
from router.core.record import InRecord
from router.core.shadowing import Aside, agrees
from router.core.topics import Topics
from tests.core.policy_fixtures import (
    StubClock,
    StubLanguages,
    StubModel,
    chat_record,
    policy_of,
    prediction,
)

VALIDATORS = open_validators()
SMALL = policy_of()
OLD, NEW = ModelRef("m", "1", "a" * 64), ModelRef("m", "2", "b" * 64)
SHARE = 0.5
ITS, OTHERS = (
    [c for c in (f"c{n}" for n in range(40)) if in_share(c, SHARE) is its] for its in (True, False)
)


@dataclass
class Watching:
    """A shadow that only notes what it is shown."""

    classifier: StubModel = field(default_factory=lambda: StubModel(ref=NEW))
    shown: list[Aside] = field(default_factory=list)
    around: list[Circumstances] = field(default_factory=list)
    error: Exception | None = None

    def offer(self, asides: Sequence[Aside], around: Circumstances) -> None:
        if self.error is not None:
            raise self.error
        self.shown += asides
        self.around.append(around)

    def close(self) -> None:
        pass


@dataclass
class Faults:
    seen: list[str] = field(default_factory=list)

    def __call__(self, where: str, error: Exception) -> None:
        self.seen.append(where)


def line_of(models: ModelSet, faults: Faults | None = None) -> Line:
    line = Line(
        SMALL,
        None,
        StubLanguages(),
        VALIDATORS,
        Topics(),
        StubClock(),
        max_event_bytes=10_000,
        router_version="1.2",
        on_fault=faults or Faults(),
    )
    return line.with_models(models)


def decisions(line: Line, *records: InRecord) -> list[Decision]:
    found = [outcome.decision for outcome in line.route(records, fetched_at=1000.0)]
    assert all(found)
    return [decision for decision in found if decision is not None]


def talk(conversations: Sequence[str], text: str = "where is my card") -> list[InRecord]:
    return [
        chat_record(text, offset=at, conversation_id=conversation)
        for at, conversation in enumerate(conversations)
    ]


def both(
    live: StubModel | None = None, canary: StubModel | None = None, share: float = SHARE
) -> ModelSet:
    trial = canary or StubModel(ref=NEW, answer=lambda _: prediction({"stolen_card": 0.9}))
    return ModelSet(
        live=Model(live or StubModel(ref=OLD)),
        canary=Model(trial, under_the_name("canary", ask)),
        share=share,
    )


def test_each_conversation_is_answered_by_its_model_which_the_decision_names() -> None:
    mixed = [one for pair in zip(ITS, OTHERS, strict=False) for one in pair]
    found = decisions(line_of(both()), *talk(mixed))
    assert [(one.queue, one.model) for one in found] == [
        ("fraud", NEW) if in_share(one, SHARE) else ("cards", OLD) for one in mixed
    ]


def test_each_model_is_asked_once_a_batch_about_its_own_alone() -> None:
    live, trial = StubModel(ref=OLD), StubModel(ref=NEW)
    line = line_of(both(live, trial))
    decisions(line, *talk(ITS[:3], "and my card"), *talk(OTHERS[:2]))
    assert trial.asked == [["and my card"] * 3]
    assert live.asked == [["where is my card"] * 2]


def test_the_timings_are_those_of_both_models() -> None:
    (outcome, *_) = line_of(both()).route(talk([ITS[0], OTHERS[0]]), fetched_at=1000.0)
    assert outcome.timings["infer"] == 1.0


def test_a_canary_that_fails_leaves_its_conversations_to_the_live_model() -> None:
    trial = StubModel(ref=NEW, breaks_on=frozenset({"where is my card", "Where is my card?"}))
    faults = Faults()
    found = decisions(line_of(both(canary=trial), faults), *talk([ITS[0], OTHERS[0]]))
    assert [(one.queue, one.model) for one in found] == [("cards", OLD)] * 2
    assert set(faults.seen) == {"canary"}


def test_a_text_that_breaks_the_canary_costs_its_batch_mates_nothing() -> None:
    trial = StubModel(ref=NEW, breaks_on=frozenset({"poison"}))
    records = [*talk(ITS[:1], "poison"), *talk(ITS[1:2])]
    found = decisions(line_of(both(canary=trial)), *records)
    assert [one.model for one in found] == [OLD, NEW]


def test_a_live_model_that_fails_takes_nothing_from_the_canary() -> None:
    live = StubModel(ref=OLD, breaks_on=frozenset({"where is my card", "Where is my card?"}))
    found = decisions(line_of(both(live)), *talk([ITS[0], OTHERS[0]]))
    assert [one.reason for one in found] == ["intent", "model_unavailable"]


def test_the_canarys_own_languages_and_flags_count_for_its_conversations() -> None:
    def flagged(_: str) -> Prediction:
        return Prediction(
            (IntentScore("card_arrival", 0.9),), 1.0, "only", False, (FlagScore("fraud", 0.99),)
        )

    trial = StubModel(ref=NEW, languages=frozenset({"en", "de"}), flags=("fraud",), answer=flagged)
    records = talk([ITS[0], OTHERS[0]], "de: wo ist meine Karte")
    found = decisions(line_of(both(canary=trial)), *records)
    assert [one.reason for one in found] == ["intent", "language"]


@given(
    st.lists(st.sampled_from([*ITS[:5], *OTHERS[:5]]), min_size=1, max_size=8),
    st.sampled_from(["answers", "breaks", "sees another intent"]),
    st.booleans(),
)
def test_nobody_elses_decision_depends_on_canary_or_shadow(
    conversations: list[str], mood: str, shadowed: bool
) -> None:
    words = frozenset({"where is my card", "Where is my card?"})
    trial = StubModel(ref=NEW, breaks_on=words if mood == "breaks" else frozenset())
    if mood == "sees another intent":
        trial.answer = lambda _: prediction({"stolen_card": 0.9})
    models = ModelSet(
        live=Model(StubModel(ref=OLD)),
        canary=Model(trial),
        share=SHARE,
        shadow=Watching() if shadowed else None,
    )
    alone = line_of(ModelSet(live=Model(StubModel(ref=OLD))))
    records = talk(conversations)
    found, plain = decisions(line_of(models), *records), decisions(alone, *records)
    for conversation, one, other in zip(conversations, found, plain, strict=True):
        if mood == "breaks" or conversation in OTHERS:
            assert (one.queue, one.reason, one.model) == (other.queue, other.reason, other.model)
        else:
            assert one.model == NEW


def test_a_line_under_other_models_leaves_the_one_before_as_it_was() -> None:
    before = line_of(ModelSet(live=Model(StubModel(ref=OLD))))
    after = before.with_models(ModelSet(live=Model(StubModel(ref=NEW))))
    assert [decisions(line, *talk(["c1"]))[0].model for line in (before, after)] == [OLD, NEW]


def shadowed(shadow: Watching, live: StubModel | None = None) -> ModelSet:
    return ModelSet(live=Model(live or StubModel(ref=OLD)), shadow=shadow)


def test_the_shadow_is_shown_what_a_model_had_a_say_in() -> None:
    shadow = Watching(StubModel(ref=NEW, languages=frozenset({"en", "de"})))
    texts = ["where is my card", "they stole it", "", "de: wo ist sie", "sv: hej"]
    records = [chat_record(text, offset=at) for at, text in enumerate(texts)]
    decisions(line_of(shadowed(shadow)), *records)
    assert [one.message.text.text for one in shadow.shown] == ["where is my card", "de: wo ist sie"]
    assert [one.queue for one in shadow.shown] == ["cards", "router.review"]
    assert [around.model for around in shadow.around] == [NEW]
    assert shadow.classifier.asked == []


def test_the_shadow_is_not_shown_the_canarys_conversations() -> None:
    shadow = Watching()
    models = ModelSet(
        live=Model(StubModel(ref=OLD)), canary=Model(StubModel()), share=SHARE, shadow=shadow
    )
    decisions(line_of(models), *talk([ITS[0], OTHERS[0]]))
    assert [one.message.event.conversation_id for one in shadow.shown] == [OTHERS[0]]


def test_what_was_decided_for_want_of_the_live_model_is_not_compared() -> None:
    shadow = Watching()
    live = StubModel(ref=OLD, breaks_on=frozenset({"where is my card", "Where is my card?"}))
    decisions(line_of(shadowed(shadow, live)), *talk(["c1"]))
    assert shadow.shown == []


def test_a_shadow_that_fails_changes_no_decision() -> None:
    faults = Faults()
    models = shadowed(Watching(error=RuntimeError()))
    (found,) = decisions(line_of(models, faults), *talk(["c1"]))
    assert (found.queue, found.model) == ("cards", OLD)
    assert faults.seen == ["shadow"]


@pytest.mark.parametrize(
    ("intent", "same"), [("card_arrival", True), ("card_broken", True), ("stolen_card", False)]
)
def test_a_shadow_agrees_where_it_would_have_chosen_the_same_queue(intent: str, same: bool) -> None:
    shadow = Watching()
    decisions(line_of(shadowed(shadow)), *talk(["c1"]))
    (aside,), (around,) = shadow.shown, shadow.around
    assert agrees(aside, prediction({intent: 0.9}), around) is same
    assert not agrees(aside, None, around)
