"""What texts tell of a stage is fitted anew, and what they do not tell stays as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import read_bundle
from router.model.classifier import load_classifier
from tests.model.gate_bundles import words_of
from tests.model.tiny import FLAGS, TinyStage, write_bundle
from tests.training.recalibrations import LOST, Bench, Row, foreign, messages


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_scope_is_fitted_where_texts_are_on_both_sides_of_it(bench: Bench) -> None:
    told = bench.run(TinyStage("only", LOST, scope=1.0), rows=[*messages(), *foreign()])
    assert (told["before"]["out_of_scope_kept"], told["after"]["out_of_scope_kept"]) == (1, 0)
    assert told["after"]["in_scope_kept"] == 1
    assert told["stages"]["only"]["scope"] is True


def test_without_texts_out_of_scope_the_scope_stays(bench: Bench) -> None:
    given = {"scope_a": 0.5, "scope_b": -1.0}
    told = bench.run(TinyStage("only", LOST, calibration=given), rows=messages())
    assert (bench.calibration().scope_a, bench.calibration().scope_b) == (0.5, -1.0)
    assert told["stages"]["only"]["scope"] is False


def test_flags_are_fitted_on_the_texts_whose_flags_somebody_told(bench: Bench) -> None:
    pair = (1.0, -3.0)
    calibration = {"flags": dict.fromkeys(FLAGS, pair)}
    stage = TinyStage("only", LOST, flags={"lost": (1.0, 1.0)}, calibration=calibration)
    told: list[Row] = []
    for number, row in enumerate(messages(100, "z")):
        twice = number % 2 == 0
        text = f"{row['text']} lost" if twice else row["text"]
        told.append({**row, "text": text, "flags": ["fraud"] if twice else []})
    report = bench.run(stage, rows=[*messages(), *told])
    a, b = bench.calibration().flags["fraud"]
    assert -b / a == pytest.approx(1.5, abs=0.01)
    assert bench.calibration().flags["vulnerable"] == pair
    assert report["stages"]["only"]["flags"] == ["fraud"]


def test_a_language_without_texts_keeps_what_it_had(bench: Bench) -> None:
    own = {"temperature": 0.4, "scope_a": 2.0, "scope_b": 1.0}
    write_bundle(bench.old, TinyStage("only", LOST, calibration={"languages": {"de": own}}))
    path = bench.old / "manifest.json"
    languages = {"languages": ["de", "en", "pl"]}
    path.write_text(json.dumps(json.loads(path.read_text()) | languages))
    told = bench.run(rows=messages(language="en"))
    fitted = bench.calibration()
    assert (fitted.of("de").temperature, fitted.of("de").scope_a) == (0.4, 2.0)
    assert fitted.of("pl").temperature == 1
    assert fitted.of("en").temperature > 1.5
    assert told["stages"]["only"]["languages"]["pl"] == {"before": 1.0, "after": 1.0}


def test_a_language_with_enough_texts_gets_a_temperature_of_its_own(bench: Bench) -> None:
    write_bundle(bench.old, TinyStage("only", LOST))
    path = bench.old / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"languages": ["de", "en"]}))
    german = [{**row, "label": "lost_card"} for row in messages(220, "z", language="de")]
    bench.run(rows=[*messages(), *german])
    fitted = bench.calibration()
    assert fitted.of("de").temperature < 0.5
    assert fitted.of("en").temperature > 1.5


SPLIT = (TinyStage("one", LOST, languages=["en"]), TinyStage("rest", LOST))


def test_a_stage_without_enough_texts_stays_as_it_was(bench: Bench) -> None:
    told = bench.run(*SPLIT, rows=[*messages(), *messages(50, "z", language="de")])
    assert (told["stages"]["one"]["refitted"], told["stages"]["rest"]["refitted"]) == (True, False)
    assert bench.calibration("rest") == read_bundle(bench.old).calibrations["rest"]
    assert (told["stages"]["one"]["texts"], told["stages"]["rest"]["texts"]) == (300, 50)


QUIET = {"lost": (-1.0, -1.0)}


def test_a_first_stage_goes_on_answering_though_its_confidence_is_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that 240 texts show what else 374 do.
    monkeypatch.setattr("router.training.acceptance.HARM", 0.02)
    held = {"flags_below": 0.6}
    stages = (
        TinyStage("small", LOST, accept=0.8, scope=0.0, flags=QUIET, calibration=held),
        TinyStage("large", LOST, scope=1.0, flags=QUIET),
    )
    rows = [{**row, "flags": ["fraud"] if n % 3 else []} for n, row in enumerate(messages(300))]
    told = bench.run(*stages, rows=[*rows, *foreign()])
    accept = told["stages"]["small"]["accept"]
    assert accept["before"] == 0.8
    # No less: what is out of scope the large stage alone sees now, and did not before.
    assert accept["after"] == pytest.approx(0.7, abs=0.01)
    for when in ("before", "after"):
        assert told[when]["stages"]["small"] == pytest.approx(300 / 360)
    answer = load_classifier(bench.new).predict([Question("lost", "en")]).answers[0]
    assert answer.stage == "small"
    # What holds it back is a threshold on its flags: their calibration stays with it.
    assert bench.calibration("small").flags_below == 0.6
    assert (told["stages"]["small"]["flags"], told["stages"]["large"]["flags"]) == ([], ["fraud"])


def test_a_first_stage_that_would_cost_quality_is_refused_and_nothing_is_written(
    bench: Bench,
) -> None:
    small = {**LOST, "fee": (3.0, 0.0, 0.0)}
    large = {**LOST, "fee": (0.0, 3.0, 0.0)}
    stages = (TinyStage("small", small, accept=0.8), TinyStage("large", large))
    rows = [{"text": f"fee {word}", "label": "fees"} for word in words_of(40, "z")]
    with pytest.raises(
        UsageError, match=r"from which confidence on stage small may .* Give more: 374 that"
    ):
        bench.run(*stages, rows=[*messages(), *rows])
    assert not bench.new.exists()
