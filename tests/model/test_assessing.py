"""All that `router model evaluate` says, from a bundle small enough to reckon with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from router.model.assessing import assess
from router.model.classifier import BundleClassifier, load_classifier
from router.model.evaluation import evaluate
from router.model.labelled import Labelled
from router.policies import open_policy
from tests.model.tiny import TinyStage, write_bundle

WORDS = {
    "lost": (9.0, 0.0, 0.0),
    "fee": (0.0, 9.0, 0.0),
    "charge": (0.0, 1.0, 0.9),
    "stolen": (9.0, 0.0, 0.0),
}
FLAGS = {"stolen": (-9.0, 9.0), "lost": (-9.0, -9.0), "fee": (-9.0, -9.0), "charge": (-9.0, -9.0)}
ROWS = [
    Labelled("stolen", "lost_card", "en", ("fraud",)),
    Labelled("lost", "lost_card", "en", ()),
    Labelled("fee", "fees", "en", ("fraud",)),
    Labelled("charge", "greeting", "de", ()),
    Labelled("charge", "fees", "de", ()),
    Labelled("lost fee", "in_scope", "en"),
    Labelled("", "out_of_scope", "en"),
]
POLICY = open_policy()


@pytest.fixture
def classifier(tmp_path: Path) -> BundleClassifier:
    stage = TinyStage("only", WORDS, flags=FLAGS)
    return load_classifier(write_bundle(tmp_path / "tiny" / "1", stage))


def test_an_assessment_holds_every_plain_figure_as_it_is(classifier: BundleClassifier) -> None:
    timed = ("ms_p50", "ms_p95")
    plain = evaluate(classifier, ROWS, POLICY.queue_of)
    whole = assess(classifier, ROWS, POLICY, resamples=20)
    assert {name: whole[name] for name in plain if name not in timed} == {
        name: figure for name, figure in plain.items() if name not in timed
    }
    json.dumps(whole, allow_nan=False)


def test_each_main_figure_lies_in_its_interval(classifier: BundleClassifier) -> None:
    rows = ROWS * 30
    report = assess(classifier, rows, POLICY, resamples=100)
    held: list[str] = []

    def check(figure: Any, bounds: Any, name: str) -> None:
        if isinstance(bounds, dict):
            for key, inner in bounds.items():
                check(figure[key], inner, f"{name}.{key}")
        else:
            # Times are rounded, and so may lie off by a thousandth.
            assert bounds[0] - 1e-3 <= figure <= bounds[1] + 1e-3, name
            held.append(name)

    check(report, report["intervals"], "")
    names = {"accuracy", "macro_f1", "queue_accuracy", "ece", "brier", "aurc", "oos_auroc",
             "oos_fpr95", "set_coverage", "set_size", "ms_p50", "coverage_at_risk.0.02",
             "queue_coverage_at_risk.0.05"}  # fmt: skip
    assert {f".{name}" for name in names} <= set(held)


def test_the_same_seed_gives_the_same_but_for_the_time(classifier: BundleClassifier) -> None:
    def untimed() -> dict[str, Any]:
        report = assess(classifier, ROWS, POLICY, resamples=50, seed=3)
        for timed in ("ms_p50", "ms_p95"):
            del report[timed], report["intervals"][timed]
        return report

    assert untimed() == untimed()


def test_intents_bins_curves_and_confusions_are_those_of_the_rows(
    classifier: BundleClassifier,
) -> None:
    report = assess(classifier, ROWS, POLICY, resamples=5)
    greeting = report["per_intent"]["greeting"]
    assert (greeting["n"], greeting["recall"], greeting["precision"]) == (1, 0.0, None)
    assert report["confusions"] == [{"truth": "greeting", "given": "fees", "n": 1}]
    # The policy knows none of these intents: one queue takes them all, and none is wrong.
    assert report["queue_confusions"] == []
    assert sum(one["n"] for one in report["reliability"]) == report["n_intent"] == 5
    assert report["risk_curve"][-1]["share"] == 1.0
    assert report["risk_curve"][-1]["error"] == pytest.approx(1 - report["accuracy"])
    assert report["stages"] == {"only": 1.0}


def test_flags_are_raised_at_the_policys_thresholds(classifier: BundleClassifier) -> None:
    flags = assess(classifier, ROWS, POLICY, resamples=5)["flags"]
    assert flags["n"] == 5
    assert flags["any"]["recall"] == 0.5
    assert flags["any"]["false_alarms"] == 0.0
    fraud = flags["per_flag"]["fraud"]
    assert (fraud["n"], fraud["recall"]) == (2, 0.5)
    assert fraud["threshold"] == POLICY.flags["fraud"].threshold
    assert fraud["auroc"] == pytest.approx((3 + 1.5) / 6)


def test_what_is_under_way_is_told_and_comes_to_an_end(classifier: BundleClassifier) -> None:
    done: dict[str, int] = {}
    ends: dict[str, int] = {}

    def advance(what: str, more: int, of: int) -> None:
        done[what] = done.get(what, 0) + more
        ends[what] = of

    assess(classifier, ROWS, POLICY, resamples=5, advance=advance)
    assert done == ends
    done.clear()
    assess(classifier, ROWS[-1:], POLICY, resamples=5, advance=advance)
    assert done == ends
