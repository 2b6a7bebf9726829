"""The gate stops a model that is worse anywhere that counts, and lets the others by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from router.core.paired import Tolerance
from router.model.classifier import BundleClassifier, load_classifier
from router.model.gate import Line, compare_size, compare_speed, judge, passes
from router.model.labelled import OUT_OF_SCOPE, Labelled
from tests.model.gate_bundles import bundle, policy, words_of

TOLERANCE = Tolerance(soft=0.01, hard=0.05, least=30)
ENGLISH, GERMAN = words_of(10, "word"), words_of(10, "wort")
RIGHT = dict.fromkeys([*ENGLISH, *GERMAN], "lost_card")
ROWS = [Labelled(ENGLISH[n % 10], "lost_card", "en") for n in range(1000)] + [
    Labelled(GERMAN[n % 10], "lost_card", "de") for n in range(50)
]


def loaded(
    path: Path,
    intents: Mapping[str, str] = RIGHT,
    flags: Mapping[str, Sequence[float]] | None = None,
    languages: Sequence[str] = ("en", "de"),
) -> BundleClassifier:
    return load_classifier(bundle(path, intents, flags, languages))


def worse(lines: Sequence[Line]) -> set[str]:
    return {line.what for line in lines if line.verdict == "worse"}


def judged(
    new: BundleClassifier, live: BundleClassifier, rows: Sequence[Labelled] = ROWS
) -> list[Line]:
    return judge(new, live, rows, policy(), TOLERANCE)


@pytest.fixture
def live(tmp_path: Path) -> BundleClassifier:
    return loaded(tmp_path / "tiny" / "1")


def test_the_same_model_again_passes(live: BundleClassifier) -> None:
    lines = judged(live, live)
    assert passes(lines)
    assert not worse(lines)


def test_a_model_made_worse_in_one_language_alone_is_stopped(
    live: BundleClassifier, tmp_path: Path
) -> None:
    new = loaded(tmp_path / "tiny" / "2", RIGHT | {GERMAN[0]: "fees"})
    lines = judged(new, live)
    assert not passes(lines)
    # Half a per cent of all messages is within the tolerance: only its language shows it.
    assert worse(lines) == {"language de: intent", "language de: queue"}


def test_a_model_made_worse_for_one_queue_alone_is_stopped(
    live: BundleClassifier, tmp_path: Path
) -> None:
    rows = [Labelled(ENGLISH[n % 9], "lost_card", "en") for n in range(3000)]
    fees = [Labelled("fee", "fees", "en")] * 35 + [Labelled(ENGLISH[9], "fees", "en")] * 5
    before = loaded(tmp_path / "a" / "1", RIGHT | {"fee": "fees", ENGLISH[9]: "fees"})
    after = loaded(tmp_path / "a" / "2", RIGHT | {"fee": "fees"})
    assert worse(judged(after, before, rows + fees)) == {"queue money"}


def test_an_intent_mistaken_within_its_queue_is_no_loss_of_the_queue(tmp_path: Path) -> None:
    """Neither `greeting` nor an intent that the model lacks has a queue of its own."""
    rows = [Labelled("hello", "greeting", "en")] * 40
    before = loaded(tmp_path / "a" / "1", {"hello": "greeting"})
    after = loaded(tmp_path / "a" / "2", {"hello": "fees"})
    found = worse(judged(after, before, rows))
    assert {"intent", "queue", "queue router.review"} <= found
    both = [Labelled("hello", "farewell", "en")] * 40
    lines = {line.what: line.new for line in judged(before, before, both)}
    assert (lines["intent"], lines["queue"]) == (0.0, 1.0)


def test_a_model_that_reads_a_language_less_is_stopped_though_no_message_is_in_it(
    live: BundleClassifier, tmp_path: Path
) -> None:
    new = loaded(tmp_path / "tiny" / "2", languages=["en"])
    assert worse(judged(new, live, ROWS[:1000])) == {"languages read"}
    assert "language de: intent" in worse(judged(new, live))


def test_a_model_that_reads_a_language_more_is_not_stopped_for_what_it_lets_in_there(
    live: BundleClassifier, tmp_path: Path
) -> None:
    """The live model turns all of that language away, what is no bank's business with the rest."""
    before = loaded(tmp_path / "tiny" / "2", languages=["en"])
    foreign = [Labelled(ENGLISH[n % 10], OUT_OF_SCOPE, "de") for n in range(100)]
    assert not worse(judged(live, before, [*ROWS, *foreign]))
    assert "language de: out of scope" not in {
        line.what for line in judged(live, before, [*ROWS, *foreign])
    }


def test_a_live_language_without_messages_is_shown_as_not_judged(live: BundleClassifier) -> None:
    lines = {line.what: line for line in judged(live, live, ROWS[:1000])}
    assert (lines["language de: intent"].n, lines["language de: intent"].verdict) == (0, "too few")


CALM, ALARM = (-9.0, -9.0), (-9.0, 9.0)
FLAGGED = [Labelled(ENGLISH[n % 10], "lost_card", "en", ("fraud",)) for n in range(100)]
UNFLAGGED = [Labelled(GERMAN[n % 10], "lost_card", "de", ()) for n in range(100)]


def flags(**changed: Sequence[float]) -> dict[str, Sequence[float]]:
    return dict.fromkeys(ENGLISH, ALARM) | dict.fromkeys(GERMAN, CALM) | changed


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({ENGLISH[0]: CALM}, {"flag fraud, seen", "any flag, seen", "language en: any flag seen"}),
        (
            {GERMAN[0]: ALARM},
            {"flag fraud, no false alarm", "any flag, no false alarm"},
        ),
    ],
)  # fmt: skip
def test_a_flag_missed_or_raised_in_vain_stops_a_model(
    tmp_path: Path, change: dict[str, Sequence[float]], what: set[str]
) -> None:
    live = loaded(tmp_path / "a" / "1", flags=flags())
    new = loaded(tmp_path / "a" / "2", flags=flags(**change))
    assert worse(judged(new, live, FLAGGED + UNFLAGGED)) == what


def test_a_first_model_with_flags_is_not_stopped_by_its_alarms(
    live: BundleClassifier, tmp_path: Path
) -> None:
    new = loaded(tmp_path / "tiny" / "2", flags=flags(**{GERMAN[0]: ALARM}))
    assert passes(judged(new, live, FLAGGED + UNFLAGGED))
    assert "flags known" in worse(judged(live, new, ROWS))


def test_messages_without_an_intent_alone_are_no_reason_to_pass(live: BundleClassifier) -> None:
    rows = [Labelled(ENGLISH[0], "in_scope", "en")] * 100
    assert not worse(judged(live, live, rows))
    assert not passes(judged(live, live, rows))


def test_a_model_that_keeps_what_is_no_banks_business_is_stopped(
    live: BundleClassifier, tmp_path: Path
) -> None:
    foreign = [Labelled("weather", "out_of_scope", "en")] * 40
    before = load_classifier(bundle(tmp_path / "a" / "1", RIGHT, scope=-2.0))
    found = worse(judged(live, before, [*ROWS, *foreign]))
    assert found == {"out of scope, turned away", "language en: out of scope"}
    assert "in scope, kept" in worse(judged(before, live, ROWS))


def test_a_slower_or_larger_model_is_stopped(live: BundleClassifier) -> None:
    assert compare_speed(live, live, ROWS[:60], slower=1000).verdict == "ok"
    assert compare_speed(live, live, ROWS[:60], slower=0.001).verdict == "worse"
    assert compare_size(125, 100, larger=1.25).verdict == "ok"
    assert compare_size(126, 100, larger=1.25).verdict == "worse"


def test_every_answer_is_counted_for_the_progress(live: BundleClassifier) -> None:
    told: list[int] = []
    rows = [*ROWS, Labelled("co", "lost_card", "fr")]
    judge(live, live, rows, policy(), TOLERANCE, advance=told.append)
    assert sum(told) == 2 * len(rows)
