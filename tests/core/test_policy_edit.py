"""A policy's text is edited where it must be and nowhere else."""

from __future__ import annotations

import pytest

from router.core.located_yaml import read_yaml
from router.core.policy_edit import Change, EditError, next_version, with_thresholds
from router.resources import DEFAULT_POLICY
from tests.core.policy_fixtures import POLICY, policy_of

EVIDENCE: dict[str, float | str] = {
    "risk": 0.02,
    "confidence": 0.95,
    "n": 1633,
    "errors": 22,
    "from": "pooled",
    "model": "banking-en@1",
    "data": 'a "file".csv sha256:00',
}

BLOCKS = """\
schema: routing-policy/v1
name: blocks  # ours
version: '2026.09'
defaults: {threshold: 0.5, in_scope: 0.4, priority: 3, due: 1d}
review: {priority: 2, due: 2h}
otherwise: general
queues:
  fraud:
    description: |
      Theft.
      # no comment
    threshold: 0.3   # by hand
    # what the model calls theft
    intents: [stolen_card]
    due: 1h

  # the rest
  general:
    description: All else.
rules: []
"""


def changed(source: str, **thresholds: float) -> str:
    return with_thresholds(source, {q: Change(t, EVIDENCE) for q, t in thresholds.items()})


def test_every_other_line_of_the_default_policy_stays_as_it_is() -> None:
    source = DEFAULT_POLICY.read_text()
    edited = changed(source, fraud=0.86, cards=0.5)
    added = ("    threshold: ", "    evidence: ", "version: ")
    kept = [line for line in edited.splitlines() if not line.startswith(added)]
    assert kept == [line for line in source.splitlines() if not line.startswith(added)]
    policy = policy_of(edited)
    assert (policy.threshold_of("fraud"), policy.threshold_of("cards")) == (0.86, 0.5)
    assert policy.threshold_of("transfers") == policy_of(source).threshold_of("transfers")


def test_keys_of_a_block_are_written_above_the_comment_of_the_next() -> None:
    edited = changed(BLOCKS, fraud=0.25, general=1)
    assert "    threshold: 0.25   # by hand\n    evidence: {risk: 0.02, " in edited
    assert "\n    # what the model calls theft\n    intents:" in edited
    assert "  # the rest\n  general:\n    threshold: 1\n    evidence: {" in edited
    assert edited.count("# no comment") == 1
    assert read_yaml(edited).value["queues"]["fraud"]["evidence"] == EVIDENCE


def test_a_queue_on_one_line_stays_on_one_line() -> None:
    edited = changed(POLICY, fraud=0.9, cards=0.8)
    assert len(edited.splitlines()) == len(POLICY.splitlines())
    assert policy_of(edited).threshold_of("fraud") == 0.9
    assert policy_of(edited).threshold_of("cards") == 0.8


@pytest.mark.parametrize("source", [POLICY, BLOCKS])
def test_an_edit_of_an_edit_replaces_what_the_first_wrote(source: str) -> None:
    once = changed(source, fraud=0.9)
    twice = changed(once, fraud=0.7)
    assert twice.count("evidence:") == 1
    assert policy_of(twice).threshold_of("fraud") == 0.7
    assert len(twice.splitlines()) == len(once.splitlines())


def test_evidence_in_a_block_is_replaced_whole_with_its_comments_after_it_kept() -> None:
    block = "    evidence:\n      risk: 0.1\n      n: 3\n    # what the model"
    source = BLOCKS.replace("    # what the model", block)
    edited = changed(source, fraud=0.9)
    assert read_yaml(edited).value["queues"]["fraud"]["evidence"] == EVIDENCE
    assert "# what the model calls theft\n" in edited


def test_the_ends_of_lines_stay_what_they_are() -> None:
    edited = changed(BLOCKS.replace("\n", "\r\n"), fraud=0.9)
    assert edited.count("\n") == edited.count("\r\n")


def test_the_version_is_text_and_the_next() -> None:
    assert 'name: blocks  # ours\nversion: "2026.10"\n' in changed(BLOCKS, fraud=0.9)


@pytest.mark.parametrize(
    ("version", "following"),
    [("1", "2"), ("2026.09", "2026.10"), ("1.2.0-rc1", "1.2.0-rc2"), ("v9-a", "v10-a"),
     ("stable", "stable.2")],
)  # fmt: skip
def test_the_next_version_has_its_last_number_one_higher(version: str, following: str) -> None:
    assert next_version(version) == following


def test_what_cannot_be_edited_in_place_is_refused_and_not_spoilt() -> None:
    source = BLOCKS.replace("  general:\n    description", "  general:\n    ? description\n    ")
    with pytest.raises(EditError):
        changed(source, general=0.9)
