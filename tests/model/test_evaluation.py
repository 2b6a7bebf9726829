"""`router model evaluate`'s figures, from files to names."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from router.model.classifier import BundleClassifier, load_classifier
from router.model.evaluation import evaluate
from router.model.labelled import Labelled
from tests.model.tiny import TinyStage, write_bundle

WORDS = {
    "lost": (9.0, 0.0, 0.0),
    "fee": (0.0, 9.0, 0.0),
    "charge": (0.0, 1.0, 0.9),
    "hello": (0.0, 0.0, 9.0),
}
QUEUES = {"lost_card": "cards", "fees": "money", "greeting": "money"}
ROWS = [
    Labelled("lost", "lost_card", "en"),
    Labelled("fee", "fees", "en"),
    Labelled("charge", "greeting", "de"),
    Labelled("charge", "fees", "de"),
]


@pytest.fixture
def classifier(tmp_path: Path) -> BundleClassifier:
    return load_classifier(write_bundle(tmp_path / "tiny" / "1", TinyStage("only", WORDS)))


def test_the_figures_are_those_of_the_rows(classifier: BundleClassifier) -> None:
    report = evaluate(classifier, ROWS, QUEUES.__getitem__)
    assert report["n"] == 4
    assert report["accuracy"] == 0.75
    assert report["queue_accuracy"] == 1.0
    assert report["macro_f1"] == pytest.approx((1 + 0.8 + 0) / 3)
    assert report["coverage_at_risk"] == {"0.01": 0.5, "0.02": 0.5, "0.05": 0.5}
    assert report["queue_coverage_at_risk"] == {"0.01": 1.0, "0.02": 1.0, "0.05": 1.0}
    german = report["per_language"]["de"]
    assert (german["n"], german["accuracy"], german["queue_accuracy"]) == (2, 0.5, 1.0)
    queues = report["per_queue"]
    assert {queue: (row["n"], row["recall"]) for queue, row in queues.items()} == {
        "cards": (1, 1.0),
        "money": (3, 1.0),
    }
    assert report["oos_auroc"] is None
    assert report["ms_p50"] > 0


@pytest.mark.parametrize(
    ("bounds", "coverage", "size"),
    [
        ({"set_least": 0.3}, 1.0, 1.5),
        ({"set_least": 1.0}, 0.75, 1.0),
        ({"set_least": 1.0, "set_least_of": {"greeting": 0.3}}, 1.0, 1.5),
    ],
)
def test_a_prediction_set_holds_all_that_reach_their_bound(
    tmp_path: Path, bounds: dict[str, Any], coverage: float, size: float
) -> None:
    stage = TinyStage("only", WORDS, calibration=bounds)
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))
    report = evaluate(classifier, ROWS, QUEUES.__getitem__)
    assert (report["set_coverage"], report["set_size"]) == (coverage, size)


def test_rows_without_an_intent_count_for_scope_alone(classifier: BundleClassifier) -> None:
    scope_only = [
        Labelled("hello hello", "in_scope", "en"),
        Labelled("", "out_of_scope", "en"),
    ]
    report = evaluate(classifier, ROWS + scope_only, QUEUES.__getitem__)
    assert (report["n"], report["n_intent"]) == (6, 4)
    assert (report["n_in_scope"], report["n_out_of_scope"]) == (5, 1)
    assert report["accuracy"] == 0.75
    # The scope's logit grows with the words; no words, no evidence: a half.
    assert (report["oos_auroc"], report["oos_fpr95"]) == (1.0, 0.0)
    assert (report["in_scope_kept"], report["out_of_scope_kept"]) == (1.0, 1.0)


def test_every_name_that_others_rely_on_is_there(classifier: BundleClassifier) -> None:
    rows = [*ROWS, Labelled("", "out_of_scope", "en")]
    report = evaluate(classifier, rows, QUEUES.__getitem__)
    numbers = (
        "n", "accuracy", "macro_f1", "queue_accuracy", "ece", "brier", "aurc", "oos_auroc",
        "oos_fpr95", "set_coverage", "set_size", "ms_p50",
    )  # fmt: skip
    assert all(math.isfinite(report[name]) for name in numbers)
    dictionaries = ("coverage_at_risk", "queue_coverage_at_risk", "per_language", "per_queue")
    assert all(isinstance(report[name], dict) for name in dictionaries)


def test_progress_adds_up_to_the_rows(classifier: BundleClassifier) -> None:
    seen: list[int] = []
    evaluate(classifier, ROWS * 50, QUEUES.__getitem__, seen.append)
    assert sum(seen) == 200


def test_no_text_of_an_intent_is_no_figure_and_no_failure(classifier: BundleClassifier) -> None:
    report = evaluate(classifier, [Labelled("", "out_of_scope", "en")], QUEUES.__getitem__)
    assert (report["accuracy"], report["ece"], report["set_size"]) == (None, None, None)
    assert report["coverage_at_risk"] == {"0.01": None, "0.02": None, "0.05": None}
    assert (report["per_language"], report["per_queue"]) == ({}, {})
    assert report["out_of_scope_kept"] == 1.0
