from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from router.core.asking import HARMLESS, ask, unanswered
from router.core.prediction import Predictions, Question
from tests.core.policy_fixtures import StubModel, english, prediction


@dataclass
class Faults:
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, where: str, error: Exception) -> None:
        self.seen.append((where, str(error)))


class Short(StubModel):
    """Answers one text too few."""

    def predict(self, questions: Sequence[Question]) -> Predictions:
        return super().predict(questions[1:])


def test_texts_are_asked_together_and_answered_in_order() -> None:
    model = StubModel(answer=lambda text: prediction({text: 0.9}))
    answered = ask(model, english("a", "b"), Faults())
    assert [one.intents[0].intent for one in answered.each if one] == ["a", "b"]
    assert model.asked == [["a", "b"]]
    assert [one.infer_seconds for one in answered.whole] == [0.5]
    assert answered.model_works


def test_a_text_that_breaks_the_model_costs_its_batch_mates_nothing() -> None:
    model, faults = StubModel(breaks_on=frozenset({"poison"})), Faults()
    answered = ask(model, english("one", "poison", "two"), faults)
    assert [one is None for one in answered.each] == [False, True, False]
    assert len(answered.whole) == 2
    assert answered.model_works
    assert faults.seen == [("model", "the model broke")] * 2


def test_a_single_text_is_not_asked_twice_and_is_told_from_a_model_that_fails() -> None:
    model = StubModel(breaks_on=frozenset({"poison"}))
    answered = ask(model, english("poison"), Faults())
    assert (answered.each, answered.whole, answered.model_works) == ([None], [], True)
    assert model.asked == [["poison"], [HARMLESS.text]]


def test_a_model_that_fails_on_a_harmless_text_is_asked_nothing_more() -> None:
    texts = [f"text {number}" for number in range(50)]
    model, faults = StubModel(breaks_on=frozenset({*texts, HARMLESS.text})), Faults()
    assert ask(model, english(*texts), faults) == unanswered(english(*texts))
    assert len(model.asked) == len(faults.seen) == 2
    assert ask(model, [HARMLESS], faults) == unanswered([HARMLESS])
    assert len(model.asked) == 3


def test_a_model_that_answers_too_few_texts_has_failed() -> None:
    faults = Faults()
    assert ask(Short(), english("a", "b"), faults) == unanswered(english("a", "b"))
    assert len(faults.seen) == 2


@pytest.mark.parametrize("share", [float("nan"), 1.5, -0.1])
def test_a_prediction_that_is_no_share_is_no_answer(share: float) -> None:
    for answer in (prediction({"card_arrival": share}), prediction({"card_arrival": 1}, share)):
        model = StubModel(answer={"one": answer}.__getitem__)
        assert ask(model, english("one"), Faults()).each == [None]
