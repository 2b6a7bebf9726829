"""`router policy fit` from labelled messages to a policy that is in force."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.cli.main import run
from router.policies import open_policy
from tests.model.tiny import SURE, TinyStage, write_bundle

POLICY = """\
schema: routing-policy/v1
name: tiny
version: "1"
defaults: {threshold: 0.5, in_scope: 0.4, priority: 3, due: 1d}
review: {priority: 2, due: 2h}
otherwise: router.review
queues:
  cards:
    description: Cards.  # for Ann's team
    intents: [lost_card]
  money: {description: Fees., intents: [fees], threshold: 0.3}
  risk: {description: At risk.}
rules:
  - {name: risk-words, when: {text: {words: [alone]}}, queue: risk}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def arguments(tmp_path: Path, policy: Path) -> list[str]:
    words = {"lost": SURE, "fee": (0.0, 9.0, 0.0)}
    bundle = write_bundle(tmp_path / "tiny" / "1", TinyStage("only", words))
    return [
        *("policy", "fit", "--policy", str(policy), "--model", str(bundle)),
        *("--data", str(tmp_path / "rows.csv")),
    ]


def write_rows(folder: Path, *rows: tuple[str, str, int]) -> None:
    """So many texts of a first word and a number, with a label."""
    lines = [f"{word} {i},{label}\n" for word, label, n in rows for i in range(n)]
    (folder / "rows.csv").write_text("text,label\n" + "".join(lines))


def test_thresholds_are_written_with_their_evidence_and_a_new_version(
    arguments: list[str], policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, ("lost", "lost_card", 300), ("fee", "fees", 40), ("fee", "lost_card", 1))
    out = tmp_path / "new.yaml"
    assert run([*arguments, "--risk", "0.1", "--out", str(out)]) == 0
    assert policy.read_text() == POLICY
    fitted = open_policy(out)
    assert fitted.version == "2"
    assert fitted.threshold_of("cards") == 0.0
    assert "# for Ann's team" in out.read_text()
    evidence = next(line for line in out.read_text().splitlines() if "evidence" in line)
    assert "risk: 0.1, confidence: 0.95, n: 2" in evidence
    assert "from: queue, model: tiny@1" in evidence
    assert "rows.csv sha256:" in evidence
    table = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert table[0][:7] == ["queue", "n", "threshold", "share", "errors", "bound", "from"]
    assert [row[0] for row in table[1:]] == ["cards", "money"]
    assert run(["policy", "check", str(out)]) == 0


def test_without_a_file_to_write_nothing_is_written_and_json_says_all(
    arguments: list[str], policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(
        tmp_path, ("lost", "lost_card", 60), ("fee", "fees", 60), ("fee", "out_of_scope", 10),
        ("lost", "in_scope", 20), ("lost", "no_such_intent", 2),
    )  # fmt: skip
    assert run([*arguments, "--risk", "0.4", "--json"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"policy.yaml", "rows.csv", "tiny"}
    answer = json.loads(capsys.readouterr().out)
    assert (answer["model"], answer["risk"], answer["out"]) == ("tiny@1", 0.4, None)
    cards, money = answer["queues"]
    assert (cards["queue"], cards["from"]) == ("cards", "queue")
    assert cards["of"] == cards["sent"] >= 45
    assert 0 < cards["wrong"] <= 2
    assert (money["from"], money["threshold"]) == ("queue", 0.0)
    assert money["errors"] >= 6
    assert any("2 rows have a label" in warning for warning in answer["warnings"])


def test_where_no_queue_can_be_fitted_nothing_is_written_and_the_answer_is_no(
    arguments: list[str], policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, ("lost", "lost_card", 30), ("fee", "fees", 30))
    assert run([*arguments, "--risk", "0.02", "--out", str(policy)]) == 1
    assert policy.read_text() == POLICY
    streams = capsys.readouterr()
    assert "review" in streams.out
    assert "No queue can be fitted" in streams.err


def test_a_queue_without_evidence_goes_to_review_beside_one_that_has_it(
    arguments: list[str], policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, ("lost", "lost_card", 300))
    assert run([*arguments, "--risk", "0.1", "--out", str(policy)]) == 0
    fitted = open_policy(policy)
    assert fitted.threshold_of("money") == 1
    assert "threshold: 1, evidence: {risk: 0.1, confidence: 0.95, n: 0" in policy.read_text()


def test_a_policy_that_cannot_be_written_is_told(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path, ("lost", "lost_card", 300))
    out = tmp_path / "absent" / "policy.yaml"
    assert run([*arguments, "--risk", "0.1", "--out", str(out)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "fit", "--help"]) == 0
    assert "router policy fit --risk 0.02" in capsys.readouterr().out
