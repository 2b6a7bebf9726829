"""A bundle's next version has the same graphs and other probabilities, fitted to other texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from router.core.prediction import Question
from router.errors import UsageError
from router.model.bundle import read_bundle
from router.model.classifier import load_classifier
from router.model.labelled import Labelled
from router.training.recalibrating import FEWEST, folds_of, recalibrate
from router.training.refitting import FOLDS, Refitting
from tests.model.gate_bundles import write_rows
from tests.model.tiny import TinyStage, write_bundle
from tests.training.recalibrations import LOST, Bench, Row, foreign, messages


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_model_that_is_too_sure_of_itself_is_so_no_longer(bench: Bench) -> None:
    told = bench.run(TinyStage("only", LOST), rows=messages())
    assert told["before"]["ece"] == pytest.approx(0.209, abs=0.001)
    assert told["after"]["ece"] < 0.01
    assert told["before"]["accuracy"] == told["after"]["accuracy"] == pytest.approx(0.7)
    assert told["before"]["set_coverage"] == pytest.approx(0.7)
    assert told["after"]["set_coverage"] == 1
    answer = load_classifier(bench.new).predict([Question("lost", "en")]).answers[0]
    assert answer.intents[0].confidence == pytest.approx(0.7, abs=0.001)


def test_the_new_version_has_the_same_graphs_and_says_what_it_was_calibrated_on(
    bench: Bench,
) -> None:
    sample = {"text": "lost", "intent": "lost_card", "confidence": 0.909, "in_scope": 0.8808}
    write_bundle(bench.old, TinyStage("only", LOST), samples=[sample])
    (bench.old / "README.md").write_text("# tiny 1\n\nReads messages.\n")
    bench.run(rows=messages())
    old, new = read_bundle(bench.old), read_bundle(bench.new)
    changed = {name for name in new.files if new.files[name] != old.files[name]}
    assert changed == {"calibration.json"}
    assert old.files.keys() == new.files.keys()
    assert (new.ref.name, new.ref.version) == ("tiny", "2")
    (source,) = new.manifest.whole["data"]
    size = bench.data.stat().st_size
    assert (source["sha256"], source["bytes"], source["texts"]) == (bench.digest, size, 300)
    (asked,) = new.manifest.samples
    assert asked.confidence == pytest.approx(0.7, abs=0.001)
    recorded = new.manifest.whole["training"]["recalibration"]
    assert recorded["from"] == {"name": "tiny", "version": "1", "hash": old.ref.hash}
    card = (bench.new / "README.md").read_text()
    assert card.startswith("# tiny 2\n\ntiny 1 with the same graphs")
    assert all(part in card for part in (bench.digest, "Reads messages.", "| accuracy | 0.7000 |"))


def test_what_is_told_of_a_text_comes_from_a_calibration_without_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    fit = Refitting.fit

    def watched(self: Refitting, rows: Sequence[Labelled], chosen: Any) -> Any:
        seen.append({row.text for row in rows})
        return fit(self, rows, chosen)

    monkeypatch.setattr(Refitting, "fit", watched)
    rows = messages()
    bench.run(TinyStage("only", LOST), rows=rows)
    whole, *folds = seen
    assert whole == {row["text"] for row in rows}
    assert len(folds) == FOLDS
    # Each text is left out of exactly one of them.
    assert Counter(text for fold in folds for text in whole - fold) == Counter(whole)


def test_folds_hold_the_same_text_once_and_every_label_whatever_the_order() -> None:
    rows = [Labelled(row["text"], row["label"], "en") for row in messages()]
    rows += [Labelled(row.text.upper() + " ", "fees", "en") for row in rows[:50]]
    of = folds_of(rows)
    assert of[:50] == of[300:]
    assert folds_of(rows[::-1]) == of[::-1]
    assert {(row.label, fold) for row, fold in zip(rows, of, strict=True)} == {
        (label, fold) for label in ("lost_card", "fees") for fold in range(FOLDS)
    }


def test_texts_of_unknown_labels_and_languages_are_left_out_and_counted(bench: Bench) -> None:
    strange = [{"text": "a", "label": "loans"}, {"text": "b", "label": "fees", "language": "sv"}]
    told = bench.run(TinyStage("only", LOST), rows=[*messages(), *strange])
    assert told["data"]["left_out"] == {"label": 1, "language": 1}
    assert (told["data"]["texts"], told["data"]["languages"]) == (300, {"en": 300})


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"text": "a", "label": "loans"}] * 300, "no text with an intent that the bundle knows"),
        (foreign(300), "no text with an intent that the bundle knows"),
        (messages(FEWEST - 1), f"{FEWEST - 1} different texts.*At least {FEWEST}"),
        ([messages(1)[0]] * 400, "1 different texts"),
    ],
)
def test_texts_that_tell_too_little_are_refused(
    rows: Sequence[Row], named: str, bench: Bench
) -> None:
    with pytest.raises(UsageError) as caught:
        bench.run(TinyStage("only", LOST), rows=rows)
    caught.match(named)
    assert not bench.new.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"metrics": {"rows.jsonl": {"accuracy": 1.0, "sha256": "DIGEST"}}},
        {"metrics": {"theirs": {"data": {"sha256": "DIGEST"}}}},
        {"data": [{"file": "x", "sha256": "DIGEST", "licence": "MIT", "source": "us"}]},
    ],
)
def test_texts_that_the_bundle_was_made_or_measured_with_are_refused(
    fields: Mapping[str, Any], bench: Bench
) -> None:
    write_bundle(bench.old, TinyStage("only", LOST))
    write_rows(bench.data, messages())
    path = bench.old / "manifest.json"
    known = json.loads(json.dumps(fields).replace("DIGEST", bench.digest))
    path.write_text(json.dumps(json.loads(path.read_text()) | known))
    with pytest.raises(UsageError, match="made or measured with"):
        recalibrate(bench.old, bench.data, bench.new)


def test_a_version_is_made_once_and_is_the_same_wherever_it_is_made(
    bench: Bench, tmp_path: Path
) -> None:
    bench.run(TinyStage("only", LOST), rows=messages())
    again = tmp_path / "again" / "tiny" / "2"
    recalibrate(bench.old, bench.data, again)
    assert read_bundle(again).ref == read_bundle(bench.new).ref
    with pytest.raises(UsageError, match="exists"):
        recalibrate(bench.old, bench.data, bench.new)
    with pytest.raises(UsageError, match="made or measured with"):
        recalibrate(bench.new, bench.data, bench.new.with_name("3"))
