from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.deciding import asks_model, ignore
from router.core.decision_id import decision_id
from router.core.prediction import Prediction
from router.core.record import Source
from router.core.topics import IGNORED, REVIEW
from tests.core.decided import AROUND, SOURCE, decided, with_policy
from tests.core.policy_fixtures import MODEL, TIME, message, prediction, text_of


def test_a_sure_intent_goes_to_its_queue() -> None:
    decision = decided(answer=prediction({"card_arrival": 0.93, "stolen_card": 0.05}))
    assert (decision.queue, decision.reason, decision.rule) == ("cards", "intent", None)
    assert (decision.intent, decision.confidence, decision.threshold) == ("card_arrival", 0.93, 0.5)
    assert decision.priority == 3
    assert decision.due_at == TIME + timedelta(days=1)
    assert decision.model == MODEL
    assert decision.explanation == (
        "The model reads card_arrival with 93% confidence, and cards asks for at least 50%."
    )


def test_a_candidate_has_its_own_queue_and_confidence() -> None:
    decision = decided(answer=prediction({"card_arrival": 0.9, "stolen_card": 0.06, "loan": 0.01}))
    pairs = [(c.intent, c.queue, c.confidence) for c in decision.candidates]
    assert pairs == [
        ("card_arrival", "cards", 0.9),
        ("stolen_card", "fraud", 0.06),
        ("loan", REVIEW, 0.01),
    ]


def test_as_many_candidates_are_listed_as_the_policy_says() -> None:
    around = with_policy("due: 1d}\nreview", "due: 1d, candidates: 1}\nreview")
    answer = prediction({"card_arrival": 0.9, "stolen_card": 0.06})
    assert len(decided(answer=answer, around=around).candidates) == 1


def test_a_confidence_just_below_its_queues_threshold_is_for_people() -> None:
    decision = decided(answer=prediction({"card_arrival": 0.4996}))
    assert (decision.queue, decision.reason) == (REVIEW, "low_confidence")
    assert (decision.intent, decision.confidence, decision.threshold) == (
        "card_arrival",
        0.4996,
        0.5,
    )
    assert decision.priority == 2
    assert "49.96%" in decision.explanation


def test_a_confidence_at_the_threshold_is_enough() -> None:
    assert decided(answer=prediction({"stolen_card": 0.3})).reason == "intent"


def test_a_threshold_of_one_lets_nothing_pass_not_even_a_confidence_rounded_to_one() -> None:
    around = with_policy("threshold: 0.3", "threshold: 1")
    decision = decided(answer=prediction({"stolen_card": 1.0}), around=around)
    assert (decision.queue, decision.reason) == (REVIEW, "low_confidence")
    assert "nothing on the model's word alone" in decision.explanation


@pytest.mark.parametrize("confidence", [float("nan"), float("-inf")])
def test_a_confidence_that_is_no_share_is_never_sure(confidence: float) -> None:
    assert decided(answer=prediction({"stolen_card": confidence})).reason == "low_confidence"


def test_a_text_out_of_scope_is_for_people() -> None:
    decision = decided(answer=prediction({"card_arrival": 0.99}, in_scope=0.39))
    assert (decision.queue, decision.reason) == (REVIEW, "out_of_scope")


def test_an_in_scope_that_is_no_number_is_out_of_scope() -> None:
    answer = prediction({"card_arrival": 0.99}, in_scope=float("nan"))
    assert decided(answer=answer).reason == "out_of_scope"


def test_an_intent_of_no_queue_falls_to_the_catch_all() -> None:
    around = with_policy("otherwise: router.review", "otherwise: vip")
    decision = decided(answer=prediction({"mortgage": 0.9}), around=around)
    assert (decision.queue, decision.reason) == ("vip", "fallback")
    assert decided(answer=prediction({"mortgage": 0.9})).queue == REVIEW


def test_a_rule_decides_before_the_model() -> None:
    decision = decided("They stole it", prediction({"card_arrival": 0.99}))
    assert (decision.queue, decision.reason, decision.rule) == ("fraud", "flag", "theft-words")
    assert decision.flags == ("fraud",)
    assert (decision.intent, decision.threshold) == ("card_arrival", None)  # shown all the same


def test_people_see_all_of_the_prediction_set() -> None:
    scores = {f"i{n}": 0.2 - n / 100 for n in range(6)}
    answer = replace(prediction(scores), likely=("i0", "i4"))
    candidates = decided(answer=answer).candidates
    assert [one.intent for one in candidates if one.likely] == ["i0", "i4"]
    assert len(candidates) == AROUND.policy.candidates + 1


def test_a_rule_without_a_flag_has_the_reason_rule() -> None:
    decision = decided(event=message("hi", segment="private"))
    assert (decision.queue, decision.reason, decision.priority) == ("vip", "rule", 2)


def test_a_rule_on_a_field_decides_on_an_empty_text() -> None:
    assert decided("", event=message(segment="private")).reason == "rule"


def test_an_empty_text_is_for_people() -> None:
    assert (decided("").queue, decided("").reason) == (REVIEW, "empty")


def test_a_language_that_the_model_does_not_read_is_for_people() -> None:
    decision = decided(answer=prediction({"card_arrival": 0.9}), language="sv")
    assert (decision.queue, decision.reason, decision.language) == (REVIEW, "language", "sv")
    assert decision.candidates == ()


def test_a_rule_reads_every_language() -> None:
    assert decided("kill myself", language="sv").queue == "risk"


def test_an_unknown_language_goes_on_to_the_model() -> None:
    answer = prediction({"card_arrival": 0.9})
    assert decided(answer=answer, language="und").reason == "intent"


def test_a_policy_may_narrow_the_languages() -> None:
    around = with_policy("queues:", "languages: [en]\nqueues:")
    assert decided(language="de", around=around).reason == "language"
    assert decided(language="en", around=around).reason == "model_unavailable"


def test_without_an_answer_people_sort_what_no_rule_takes() -> None:
    decision = decided()
    assert (decision.queue, decision.reason) == (REVIEW, "model_unavailable")
    assert decided(answer=Prediction((), 1.0, "only", False)).reason == "model_unavailable"


def test_a_message_of_the_last_day_of_time_is_due_then() -> None:
    event = message("hi", time=datetime.max.replace(tzinfo=UTC))
    assert decided("hi", event=event).due_at == datetime.max.replace(tzinfo=UTC)


def test_what_no_customer_wrote_is_ignored() -> None:
    decision = ignore(message("hi"), SOURCE, "not_customer", AROUND)
    assert (decision.queue, decision.reason) == (IGNORED, "not_customer")
    assert (decision.due_at, decision.priority, decision.language) == (None, 5, "und")


def test_a_decision_id_is_made_of_the_records_coordinates() -> None:
    assert decided().decision_id == str(uuid5(NAMESPACE_URL, "messages.chat/3/41"))
    for offset in range(500):
        source = Source("messages.chat", offset % 7, offset)
        assert decision_id(source) == str(uuid5(NAMESPACE_URL, str(source)))


def test_only_what_needs_the_model_asks_it() -> None:
    def asks(words: str, language: str = "en", **fields: Any) -> bool:
        text = text_of(words, language)
        return asks_model(text, AROUND.policy.match(message(words, **fields), text), AROUND)

    assert asks("hello")
    assert asks("hello", "und")
    assert not asks("")
    assert not asks("hello", "sv")
    assert not asks("They stole it")
    assert not asks("hello", segment="private")


SHARES = st.floats(0, 1) | st.sampled_from([0.3, 0.5])
ANSWERS = st.none() | st.builds(
    prediction,
    st.dictionaries(st.sampled_from(["stolen_card", "card_arrival", "mortgage"]), SHARES),
    SHARES,
)
WORDS = st.sampled_from(["", "hello", "They stole it", "I kill myself", "stole and kill myself"])
OTHERWISE = st.sampled_from(["router.review", "vip", "cards"])


@settings(deadline=None)
@given(WORDS, ANSWERS, st.sampled_from(["en", "und", "sv"]), OTHERWISE)
def test_every_decision_names_a_queue_and_keeps_its_promises(
    words: str, answer: Prediction | None, language: str, otherwise: str
) -> None:
    around = with_policy("otherwise: router.review", f"otherwise: {otherwise}")
    decision = decided(words, answer, language=language, around=around)
    assert decision.queue in {*around.policy.queues, REVIEW}
    assert 1 <= decision.priority <= 5
    if decision.reason == "intent":
        assert decision.confidence is not None
        assert decision.threshold is not None
        assert decision.confidence >= decision.threshold
    assert decision == decided(words, answer, language=language, around=around)


@settings(deadline=None)
@given(st.text(min_size=1), ANSWERS)
def test_an_explanation_is_one_sentence_without_the_customers_words(
    words: str, answer: Prediction | None
) -> None:
    decision = decided(f"⟦{words}⟧ they stole it", answer)
    assert "⟦" not in decision.explanation
    assert decision.explanation.endswith(".")
    assert "\n" not in decision.explanation
