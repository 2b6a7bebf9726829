from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from router.errors import UsageError
from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE
from router.resources import MODELS
from router.training.examples import FRAUD_INTENTS, Example, read_banking
from router.training.lesson import NO_INTENT, joined, lesson_of
from router.training.own import FLAGS, LANGUAGES, calibrates, read_own

LABELS = ("card", "fee")
EXAMPLES = [
    Example("a fee", "fee"),
    Example("lost", "card", "de", ("fraud", "complaint")),
    Example("a bank", IN_SCOPE),
    Example("an egg", OUT_OF_SCOPE),
]


def test_a_text_teaches_what_its_label_and_its_flags_say() -> None:
    lesson = lesson_of(EXAMPLES, LABELS)
    assert lesson.intents.tolist() == [1, 0, NO_INTENT, NO_INTENT]
    assert lesson.scope.tolist() == [1, 1, 1, 0]
    flagged = [flag in EXAMPLES[1].flags for flag in FLAGS]
    assert lesson.flags.tolist() == [[0] * 4, flagged, [0] * 4, [0] * 4]


def test_parts_of_a_lesson_and_lessons_together_keep_their_rows() -> None:
    lesson = lesson_of(EXAMPLES, LABELS)
    both = joined([lesson.of([1]), lesson.of([3, 0])])
    assert both.texts == ("lost", "an egg", "a fee")
    assert both.intents.tolist() == [0, NO_INTENT, 1]
    assert both.scope.tolist() == [1, 0, 1]
    assert both.flags.sum() == 2
    assert len(both) == 3


def test_the_projects_own_messages_are_read_in_all_languages() -> None:
    messages = read_own(MODELS / "texts", "train")
    assert {m.language for m in messages} == set(LANGUAGES)
    share = np.mean([calibrates(m) for m in messages])
    assert 0.13 < share < 0.17


def test_banking77s_fraud_is_flagged_by_its_intent(tmp_path: Path) -> None:
    (tmp_path / "banking77").mkdir()
    rows = "text,category\nit was stolen,lost_or_stolen_card\nwhere is it,card_arrival\n"
    (tmp_path / "banking77" / "train.csv").write_text(rows)
    assert [e.flags for e in read_banking(tmp_path)] == [("fraud",), ()]
    page = (MODELS / "texts" / "labels.md").read_text(encoding="utf-8")
    assert all(name in page for name in FRAUD_INTENTS - {"report_fraud", "report_lost_card"})


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "expected text, label, language and flags"),
        (json.dumps({"text": "a", "label": "b", "language": "de"}), "expected text, label"),
        (
            json.dumps({"text": "a", "label": "b", "language": "de", "flags": ["angry"]}),
            "angry is no flag",
        ),
    ],
)
def test_a_malformed_message_is_told_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "de.jsonl").write_text(line + "\n")
    with pytest.raises(UsageError, match=f"line 1: {problem}"):
        read_own(tmp_path, "train")


def test_training_without_a_checkout_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a checkout"):
        read_own(tmp_path, "train")
