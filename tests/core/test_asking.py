from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from router.core.asking import ask
from router.core.prediction import Predictions
from tests.core.policy_fixtures import StubModel, prediction


@dataclass
class Faults:
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, where: str, error: Exception) -> None:
        self.seen.append((where, str(error)))


class Short(StubModel):
    """Answers one text too few."""

    def predict(self, texts: Sequence[str]) -> Predictions:
        return super().predict(texts[1:])


def test_texts_are_asked_together_and_answered_in_order() -> None:
    model = StubModel(answer=lambda text: prediction({text: 0.9}))
    each, answers = ask(model, ["a", "b"], Faults())
    assert [one.intents[0].intent for one in each if one] == ["a", "b"]
    assert model.asked == [["a", "b"]]
    assert [one.infer_seconds for one in answers] == [0.5]


def test_a_text_that_breaks_the_model_costs_its_batch_mates_nothing() -> None:
    model, faults = StubModel(breaks_on=frozenset({"poison"})), Faults()
    each, answers = ask(model, ["one", "poison", "two"], faults)
    assert [one is None for one in each] == [False, True, False]
    assert len(answers) == 2
    assert faults.seen == [("model", "the model broke")] * 2


def test_a_single_text_is_not_asked_twice() -> None:
    model = StubModel(breaks_on=frozenset({"poison"}))
    assert ask(model, ["poison"], Faults()) == ([None], [])
    assert model.asked == [["poison"]]


def test_a_model_that_answers_too_few_texts_has_failed() -> None:
    faults = Faults()
    each, answers = ask(Short(), ["a", "b"], faults)
    assert (each, answers) == ([None, None], [])
    assert len(faults.seen) == 3


@pytest.mark.parametrize("share", [float("nan"), 1.5, -0.1])
def test_a_prediction_that_is_no_share_is_no_answer(share: float) -> None:
    for answer in (prediction({"card_arrival": share}), prediction({"card_arrival": 1}, share)):
        model = StubModel(answer={"one": answer}.__getitem__)
        assert ask(model, ["one"], Faults())[0] == [None]
