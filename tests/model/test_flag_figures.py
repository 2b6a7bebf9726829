"""Safety flags against a slow count over invented texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.core.prediction import FlagScore, IntentScore, Prediction
from router.model.flag_figures import flag_figures
from router.model.judged import Answered
from router.model.labelled import Labelled

KNOWN = ("fraud", "vulnerable")
THRESHOLDS = {"vulnerable": 0.3, "fraud": 0.5}

texts = st.lists(
    st.tuples(
        st.sets(st.sampled_from(KNOWN)),
        st.tuples(*(st.sampled_from([0.0, 0.2, 0.3, 0.4, 0.5, 0.9]) for _ in KNOWN)),
        st.sampled_from(["en", "de"]),
    ),
    min_size=1,
    max_size=12,
)
Text = tuple[set[str], tuple[float, ...], str]


def answered(*found: Text) -> Answered:
    rows = [Labelled("", "fees", language, tuple(due)) for due, _, language in found]
    answers = [
        Prediction(
            (IntentScore("fees", 1.0),), 1.0, "only", False,
            tuple(FlagScore(flag, p) for flag, p in zip(KNOWN, given, strict=False)),
        )
        for _, given, _ in found
    ]  # fmt: skip
    return Answered(tuple(rows), tuple(answers))


def raised(given: tuple[float, ...]) -> set[str]:
    return {f for f, p in zip(KNOWN, given, strict=True) if p >= THRESHOLDS[f]}


def share(hits: list[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


@given(texts)
def test_recall_and_false_alarms_are_counted_at_the_policys_thresholds(found: list[Text]) -> None:
    report = flag_figures(answered(*found), KNOWN, THRESHOLDS)
    assert report is not None
    parts = {"": found} | {one: [t for t in found if t[2] == one] for _, _, one in found}
    for language, part in parts.items():
        figures = report["per_language"][language] if language else report
        flagged = [raised(given) for due, given, _ in part if due]
        own = [bool(due & raised(given)) for due, given, _ in part if due]
        free = [raised(given) for due, given, _ in part if not due]
        assert figures["n"] == len(part)
        assert figures["any"]["recall"] == share([bool(flags) for flags in flagged])
        assert figures["any"]["own_recall"] == share(own)
        assert figures["any"]["false_alarms"] == share([bool(flags) for flags in free])
        for flag in KNOWN:
            row = figures["per_flag"][flag]
            due_here = [flag in raised(given) for due, given, _ in part if flag in due]
            right = [flag in due for due, given, _ in part if flag in raised(given)]
            assert row["recall"] == share(due_here)
            assert row["precision"] == share(right)
            assert row["false_alarms"] == share([flag in flags for flags in free])


@given(texts)
def test_auroc_is_how_often_a_text_with_a_flag_scores_above_one_without(found: list[Text]) -> None:
    report = flag_figures(answered(*found), KNOWN, THRESHOLDS)
    assert report is not None
    for place, flag in enumerate(KNOWN):
        pairs = [
            (a[place] > b[place]) + (a[place] == b[place]) / 2
            for due, a, _ in found if flag in due
            for others, b, _ in found if flag not in others
        ]  # fmt: skip
        auroc = report["per_flag"][flag]["auroc"]
        assert (auroc is None) == (not pairs)
        assert not pairs or abs(auroc - sum(pairs) / len(pairs)) < 1e-9


def test_a_flag_that_the_model_does_not_know_is_never_raised_and_counts() -> None:
    report = flag_figures(answered(({"complaint"}, (0.0, 0.0), "en")), KNOWN, {"complaint": 0.0})
    assert report is not None
    assert report["per_flag"]["complaint"]["recall"] == 0
    assert report["per_flag"]["complaint"]["auroc"] is None


def test_a_flag_that_the_policy_does_not_name_is_not_acted_on() -> None:
    report = flag_figures(answered(({"fraud"}, (1.0, 0.0), "en")), KNOWN, {})
    assert report is not None
    assert report["any"]["recall"] == 0
    assert report["per_flag"]["fraud"]["threshold"] is None


def test_texts_whose_flags_nobody_told_say_nothing() -> None:
    told = answered((set(), (0.0, 0.0), "en"))
    untold = Answered((Labelled("", "fees", "en"),), told.answers)
    assert flag_figures(untold, KNOWN, THRESHOLDS) is None
    both = Answered((*told.rows, *untold.rows), (*told.answers, *untold.answers))
    report = flag_figures(both, KNOWN, THRESHOLDS)
    assert report is not None
    assert report["n"] == 1
