"""The committed bundle itself: the same answer in any company, and sensible ones."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.prediction import Prediction, Question
from router.model.answers import KEPT
from router.model.bundle import read_bundle
from router.model.classifier import BundleClassifier, load_classifier
from router.model.stage import Stage, open_stage
from router.policies import open_policy
from tests.core.policy_fixtures import english

SENTENCES = (
    "my card has still not come and I leave on Friday",
    "why did you take a fee when I used a cash machine abroad",
    "hi",
    "The transfer to my sister was sent three days ago. She says there is nothing on her account. "
    "I checked the number twice and it is right. What else can I do?",
    "¿dónde está mi tarjeta?",
    "???",
    "please raise my top up limit " * 30,
)

texts = st.one_of(
    st.sampled_from(SENTENCES), st.text(max_size=80), st.text("abc de.", max_size=400)
)


@settings(max_examples=60, deadline=None)
@given(mates=st.lists(texts, min_size=1, max_size=6), picked=st.data())
def test_a_prediction_does_not_depend_on_the_batch(
    live: BundleClassifier, mates: list[str], picked: st.DataObject
) -> None:
    index = picked.draw(st.integers(0, len(mates) - 1))
    together = live.predict(english(*mates)).answers
    assert len(together) == len(mates)
    assert live.predict(english(mates[index])).answers == (together[index],)


def test_a_large_batch_answers_as_its_texts_alone_do(live: BundleClassifier) -> None:
    batch = [f"{sentence} {number}" for number in range(5) for sentence in SENTENCES]
    alone = tuple(live.predict(english(text)).answers[0] for text in batch)
    assert live.predict(english(*batch)).answers == alone
    assert live.predict(english(*batch[::-1])).answers == alone[::-1]


def test_threads_that_share_a_classifier_get_what_one_gets(live: BundleClassifier) -> None:
    alone = live.predict(english(*SENTENCES)).answers
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda _: live.predict(english(*SENTENCES)).answers, range(8)))
    assert shared == [alone] * 8


def test_two_threads_within_an_operator_change_no_answer(
    live: BundleClassifier, live_folder: Path
) -> None:
    assert (
        load_classifier(live_folder, threads=2).predict(english(*SENTENCES)).answers
        == live.predict(english(*SENTENCES)).answers
    )


def _stages(folder: Path) -> Iterator[tuple[Stage, Stage]]:
    """Each as the runtime optimises it, and as it is written."""
    bundle = read_bundle(folder)
    for spec in bundle.manifest.stages:
        graph, tokenizer = bundle.files[spec.graph], bundle.files[spec.tokenizer]
        plain = open_stage(spec, graph, tokenizer, 1, optimise=False)
        yield open_stage(spec, graph, tokenizer, 1), plain


def test_the_runtimes_optimisations_compute_the_same_model(live_folder: Path) -> None:
    """A fusion that takes a row's scale for the whole tensor's brings the correlation to 0.7; the
    last places of floats, where an int8 rounding tips over, leave it near 1."""
    for optimised, plain in _stages(live_folder):
        one, other = optimised.ask(SENTENCES), plain.ask(SENTENCES)
        for logits, others in zip(one.logits, other.logits, strict=True):
            assert np.corrcoef(logits, others)[0, 1] > 0.995
        assert one.scope == pytest.approx(other.scope, abs=0.5)


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("I ordered a card two weeks ago and it has not come", {"card_arrival"}),
        ("someone stole my wallet with my card in it", {"lost_or_stolen_card"}),
        ("the machine kept my card", {"card_swallowed"}),
        ("how do I close my account for good", {"terminate_account"}),
        ("which exchange rate do I get for pounds into euros", {"exchange_rate"}),
        ("I was charged twice for the same purchase", {"transaction_charged_twice"}),
    ],
)
def test_a_plain_question_gets_its_intent(
    live: BundleClassifier, text: str, intents: set[str]
) -> None:
    (answer,) = live.predict(english(text)).answers
    assert answer.intents[0].intent in intents
    assert answer.in_scope > 0.5


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [
        ("de", "Der Geldautomat hat meine Karte eingezogen.", "card_swallowed"),
        ("de", "Ich möchte mein Konto kündigen.", "terminate_account"),
        ("es", "Me han cobrado dos veces la misma compra.", "transaction_charged_twice"),
        ("es", "He olvidado el código de la aplicación.", "passcode_forgotten"),
        ("fr", "Ma carte commandée il y a deux semaines n'est pas arrivée.", "card_arrival"),
        ("fr", "Comment fermer mon compte ?", "terminate_account"),
        ("it", "Lo sportello ha trattenuto la mia carta.", "card_swallowed"),
        ("it", "Vorrei chiudere il conto.", "terminate_account"),
        ("nl", "De geldautomaat heeft mijn pas ingeslikt.", "card_swallowed"),
        ("nl", "Ik wil mijn rekening opzeggen.", "terminate_account"),
        ("pl", "Bankomat zatrzymał moją kartę.", "card_swallowed"),
        ("pl", "Chcę zamknąć konto.", "terminate_account"),
        ("pt", "O multibanco ficou com o meu cartão.", "card_swallowed"),
        ("pt", "Quero encerrar a minha conta.", "terminate_account"),
    ],
)
def test_a_plain_question_gets_its_intent_in_each_language(
    live: BundleClassifier, language: str, text: str, intent: str
) -> None:
    (answer,) = live.predict([Question(text, language)]).answers
    assert answer.intents[0].intent == intent
    assert answer.in_scope >= open_policy().in_scope


@pytest.mark.parametrize(
    ("language", "text", "flag"),
    [
        ("en", "I can't go on any more, I don't want to live", "vulnerable"),
        ("en", "someone has taken money from my account, it was not me", "fraud"),
        ("de", "Ich lege hiermit formell Beschwerde ein.", "complaint"),
        ("es", "Mi marido ha muerto y no sé qué hacer.", "vulnerable"),
        ("fr", "Supprimez toutes mes données personnelles.", "data-protection"),
        ("it", "Mi hanno rubato la carta e stanno pagando con quella.", "fraud"),
        ("nl", "Ik wil weten welke persoonsgegevens u van mij bewaart.", "data-protection"),
        ("pl", "Składam oficjalną reklamację i żądam odszkodowania.", "complaint"),
        ("pt", "Roubaram-me o cartão e já pagaram com ele.", "fraud"),
    ],
)
def test_a_flag_is_raised_in_each_language(
    live: BundleClassifier, language: str, text: str, flag: str
) -> None:
    policy = open_policy()
    (answer,) = live.predict([Question(text, language)]).answers
    probability = {score.flag: score.probability for score in answer.flags}[flag]
    assert probability >= policy.flags[flag].threshold


@pytest.mark.parametrize(
    "text",
    [
        "how long do I boil an egg",
        "who won the match last night",
        "set an alarm for seven",
        "what is the tallest mountain in Africa",
    ],
)
def test_what_is_no_banks_business_is_seen_as_that(live: BundleClassifier, text: str) -> None:
    assert live.predict(english(text)).answers[0].in_scope < 0.5


def _sound(answer: Prediction) -> bool:
    confidences = [score.confidence for score in answer.intents]
    return (
        len(confidences) == KEPT
        and confidences == sorted(confidences, reverse=True)
        and all(c == round(c, 4) and 0 <= c <= 1 for c in [*confidences, answer.in_scope])
    )


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_gets_ten_intents_best_first_rounded_to_four_places(
    live: BundleClassifier, text: str
) -> None:
    assert all(_sound(answer) for answer in live.predict(english(text)).answers)


def test_a_text_of_a_megabyte_is_answered_and_said_to_be_cut(live: BundleClassifier) -> None:
    text = "my card has not come. " + "so it goes. " * 90_000 + "where is my card?"
    (answer,) = live.predict(english(text)).answers
    assert answer.truncated
    assert not live.predict(english("where is my card?")).answers[0].truncated


def test_the_bundle_is_small_and_its_card_says_where_it_comes_from(live_folder: Path) -> None:
    assert sum(path.stat().st_size for path in live_folder.iterdir()) < 60_000_000
    card = (live_folder / "README.md").read_text(encoding="utf-8")
    manifest = read_bundle(live_folder).manifest
    for source in (manifest.whole["encoder"], *manifest.whole["data"]):
        assert source["licence"] in card
    for file, least in (("calibration.csv", 0.93), ("en.jsonl", 0.75), ("pl.jsonl", 0.7)):
        accuracy = manifest.whole["metrics"][file]["accuracy"]
        assert f"{accuracy:.3f}" in card
        assert accuracy >= least
