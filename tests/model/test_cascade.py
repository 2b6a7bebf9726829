"""Stages in order: one answers what it is sure of, the last answers the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.core.calibration import platt
from router.core.prediction import Classifier, Question
from router.errors import BundleError, ModelError
from router.model.classifier import BundleClassifier, load_classifier
from tests.core.policy_fixtures import english
from tests.model.tiny import FLAGS, INTENTS, SURE, UNSURE, TinyStage, write_bundle


@pytest.fixture
def classifier(tmp_path: Path) -> BundleClassifier:
    quick = TinyStage("quick", {"card": SURE, "charge": UNSURE}, accept=0.9)
    thorough = TinyStage("thorough", {"charge": (0.0, 5.0, 0.0), "card": (0.0, 0.0, 9.0)})
    return load_classifier(write_bundle(tmp_path / "tiny" / "1", quick, thorough))


def test_each_text_is_answered_by_the_first_stage_that_is_sure(
    classifier: BundleClassifier,
) -> None:
    answers = classifier.predict(english("charge", "card", "what", "card card")).answers
    assert [answer.stage for answer in answers] == ["thorough", "quick", "thorough", "quick"]
    assert [answer.intents[0].intent for answer in answers[:2]] == ["fees", "lost_card"]


def test_the_last_stage_answers_even_when_it_is_not_sure(classifier: BundleClassifier) -> None:
    (answer,) = classifier.predict(english("unheard")).answers
    assert answer.stage == "thorough"
    assert {score.confidence for score in answer.intents} == {0.3333}


def test_no_texts_are_no_answers(classifier: BundleClassifier) -> None:
    assert classifier.predict([]).answers == ()


def test_a_classifier_says_what_it_knows(classifier: BundleClassifier) -> None:
    known: Classifier = classifier
    assert known.intents == INTENTS
    assert known.languages == {"en"}
    assert known.flags == ()


def test_intents_come_best_first_and_the_temperature_flattens_them(tmp_path: Path) -> None:
    stage = TinyStage("only", {"card": (0.0, 4.0, 2.0)}, temperature=2.0)
    (answer,) = (
        load_classifier(write_bundle(tmp_path / "t" / "1", stage)).predict(english("card")).answers
    )
    assert [(s.intent, s.confidence) for s in answer.intents] == [
        ("fees", 0.6652),
        ("greeting", 0.2447),
        ("lost_card", 0.09),
    ]


def test_a_long_text_is_read_at_its_head_and_its_tail(tmp_path: Path) -> None:
    words = {"card": SURE, "fee": (0.0, 3.0, 0.0), "between": (0.0, 0.0, 1.0)}
    stage = TinyStage("only", words, max_tokens=8, temperature=10.0)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))
    short = "card between between between between between fee fee"
    long = short.replace("fee fee", "between " * 50 + "fee fee")
    one, other = classifier.predict(english(short, long)).answers
    assert not one.truncated
    assert other.truncated
    assert one.intents == other.intents


def test_a_graph_that_fails_is_a_model_error(tmp_path: Path) -> None:
    stage = TinyStage("only", {"card": SURE, "fee": SURE})
    folder = write_bundle(tmp_path / "tiny" / "1", stage)
    smaller = write_bundle(tmp_path / "smaller" / "1", TinyStage("only", {"card": SURE}))
    # A tokenizer with one id more than the graph's table has rows.
    mixed = write_bundle(tmp_path / "mixed" / "1", TinyStage("only", {"card": SURE}))
    from tests.model.tiny import read_manifest, write_manifest

    (mixed / "only.onnx").write_bytes((smaller / "only.onnx").read_bytes())
    (mixed / "only.json").write_bytes((folder / "only.json").read_bytes())
    write_manifest(mixed, read_manifest(mixed))
    classifier = load_classifier(mixed)
    with pytest.raises(ModelError, match="Stage only failed"):
        classifier.predict(english("fee"))


def test_a_number_that_is_not_finite_is_a_model_error(tmp_path: Path) -> None:
    stage = TinyStage("only", {"card": (float("nan"), 0.0, 0.0)})
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))
    with pytest.raises(ModelError, match="not finite"):
        classifier.predict(english("card"))


def test_a_bundle_whose_samples_fail_is_refused(tmp_path: Path) -> None:
    sample = {"text": "card", "intent": "fees", "confidence": 0.5, "in_scope": 0.5}
    stage = TinyStage("only", {"card": (float("inf"), 0.0, 0.0)})
    folder = write_bundle(tmp_path / "tiny" / "1", stage, samples=[sample])
    with pytest.raises(BundleError, match="fails on a sample"):
        load_classifier(folder)


def test_a_flag_is_told_calibrated_whatever_the_intent(tmp_path: Path) -> None:
    words = {"card": SURE, "help": UNSURE}
    fit = {"flags": {"vulnerable": (2.0, -1.0), "fraud": (1.0, -9.0)}}
    stage = TinyStage("only", words, flags={"help": (3.0, 0.0)}, calibration=fit)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))
    (answer,) = classifier.predict(english("card help")).answers
    assert [(one.flag, one.probability) for one in answer.flags] == [
        ("vulnerable", platt(3.0, 2.0, -1.0)),
        ("fraud", platt(0.0, 1.0, -9.0)),
    ]
    assert classifier.flags == FLAGS


def test_a_stage_leaves_what_may_be_flagged_to_the_next(tmp_path: Path) -> None:
    words = {"card": SURE, "help": UNSURE}
    flags = {"help": (3.0, 0.0), "card": (-9.0, -9.0)}
    quick = TinyStage("quick", words, 0.9, flags=flags, calibration={"flags_below": 0.2})
    thorough = TinyStage("thorough", words, flags=flags)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", quick, thorough))
    answers = classifier.predict(english("card", "card help help help help")).answers
    assert [answer.stage for answer in answers] == ["quick", "thorough"]


def test_a_stage_that_holds_no_flag_back_answers_what_is_certainly_flagged(tmp_path: Path) -> None:
    words, flags = {"card": SURE}, {"card": (40.0, 40.0)}
    english_only = TinyStage("english", words, languages=["en"], flags=flags)
    every = TinyStage("every", words, flags=flags)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", english_only, every))
    (answer,) = classifier.predict(english("card")).answers
    assert max(flag.probability for flag in answer.flags) == 1.0
    assert answer.stage == "english"


def test_a_stage_of_one_language_is_asked_that_language_alone(tmp_path: Path) -> None:
    words = {"card": SURE}
    english_only = TinyStage("english", words, languages=["en"])
    every = TinyStage("every", words)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", english_only, every))
    asked = [Question("card", language) for language in ("de", "en", "und", "en")]
    answers = classifier.predict(asked).answers
    assert [answer.stage for answer in answers] == ["every", "english", "every", "english"]


def test_a_language_has_its_own_temperature(tmp_path: Path) -> None:
    fit = {"languages": {"de": {"temperature": 9.0, "scope_a": 0.0, "scope_b": 0.0}}}
    stage = TinyStage("only", {"card": SURE}, calibration=fit)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))
    german, english_one = classifier.predict(
        [Question("card", "de"), Question("card", "en")]
    ).answers
    assert german.intents[0].confidence < english_one.intents[0].confidence
    assert (german.in_scope, english_one.in_scope > 0.5) == (0.5, True)


def test_the_last_stage_must_read_every_language(tmp_path: Path) -> None:
    stage = TinyStage("english", {"card": SURE}, languages=["en"])
    with pytest.raises(BundleError, match="english, is kept to some languages"):
        load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))
