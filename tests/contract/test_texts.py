"""The messages in `models/texts`: labelled as the page says, and never both taught and measured."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from math import ceil
from typing import Any

import pytest

from router.policies import open_policy
from router.resources import MODELS

TEXTS = MODELS / "texts"
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
FLAGS = {"vulnerable", "fraud", "complaint", "data-protection"}
_NEAR = 0.6
_SHORT = 3


def rows(part: str, language: str) -> list[dict[str, Any]]:
    lines = (TEXTS / part / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def by_queue() -> set[tuple[str, str]]:
    """Each intent of the page with the queue above it."""
    page = (TEXTS / "labels.md").read_text(encoding="utf-8")
    table = page[page.index("## Intents") : page.index("## Safety flags")]
    found, queue = set(), ""
    for row in re.findall(
        r"^\| ([a-z-]*) ?\| ([A-Za-z_?]+)(?: \(\*\*ours\*\*\))? \|", table, re.MULTILINE
    ):
        queue = row[0] or queue
        if row[1] != "intent":
            found.add((queue, row[1]))
    return found


def labels() -> set[str]:
    return {name for _, name in by_queue()} | {"out_of_scope"}


def words(text: str) -> frozenset[str]:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return frozenset(re.findall(r"[^\W_]+", bare))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["train", "heldout"])
def test_every_line_is_labelled_as_the_page_says(part: str, language: str) -> None:
    known = labels()
    found = rows(part, language)
    for number, row in enumerate(found, start=1):
        assert set(row) == {"text", "label", "language", "flags"}, number
        assert row["text"].strip() == row["text"] != "", number
        assert row["label"] in known, number
        assert row["language"] == language, number
        assert set(row["flags"]) <= FLAGS, number
        assert len(set(row["flags"])) == len(row["flags"]), number
    assert {row["label"] for row in found} == known


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_enough_to_measure_on(language: str) -> None:
    found = rows("heldout", language)
    flags = Counter(flag for row in found for flag in row["flags"])
    assert len(found) >= 300
    assert min(flags[flag] for flag in FLAGS) >= 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_both_taught_and_measured(language: str) -> None:
    taught = [words(row["text"]) for row in rows("train", language)]
    holders = defaultdict(set)
    for number, other in enumerate(taught):
        for word in other:
            holders[word].add(number)
    for row in rows("heldout", language):
        mine = words(row["text"])
        # Who shares six of ten words has at least one of any four of ten and one more.
        some = sorted(mine, key=lambda word: len(holders[word]))[
            : ceil(len(mine) * (1 - _NEAR)) + 1
        ]
        for other in (taught[number] for word in some for number in holders[word]):
            short = len(other) < _SHORT
            shared = len(mine & other) / len(mine | other)
            assert shared < (1.0 if short else _NEAR), row["text"]


def test_the_page_has_each_intent_by_the_queue_that_the_policy_sends_it_to() -> None:
    policy = open_policy()
    assert by_queue() == {(policy.queue_of(name), name) for name in policy.intents}
