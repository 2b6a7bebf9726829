"""What another model and another policy would change, as the command prints it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.assembly import build_line
from router.cli.main import run
from router.ops.clock import SystemClock
from tests.events import chat
from tests.integration.traffic import Traffic
from tests.kafka import Cluster
from tests.model.tiny import TinyStage, write_bundle
from tests.stream.replay.bench import Bench

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

POLICY = """\
schema: routing-policy/v1
name: small
version: "1"
defaults: {threshold: 0.5, in_scope: 0.4, priority: 3, due: 1d}
review: {priority: 2, due: 2h}
otherwise: router.review
queues:
  cards: {description: Cards., intents: [lost_card]}
  fees: {description: Fees., intents: [fees]}
  general: {description: Small talk., intents: [greeting]}
"""
STRICT = POLICY.replace("intents: [fees]", "intents: [fees], threshold: 0.9999")

LOST, FEES, GREETING = (9.0, 0.0, 0.0), (0.0, 9.0, 0.0), (0.0, 0.0, 9.0)
KNOWN = {"card": LOST, "fee": FEES, "hello": GREETING}

TEXTS = {
    "a": "I have lost my card on the way home yesterday",
    "b": "Why did you take a fee from my account this month",
    "c": "hello and good morning to all of you at the bank",
    "d": "There is another fee on my statement that I do not know",
}
PERIOD = ["--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z"]


def bundle(folder: Path, **words: tuple[float, ...]) -> str:
    return str(write_bundle(folder, TinyStage("only", {**KNOWN, **words})))


@pytest.fixture
def decided(
    kafka: Cluster, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """Four messages, decided by the model and the policy in force."""
    bench = Bench(Traffic(kafka.bootstrap, topic_prefix, partitions=1))
    bench.traffic.create_topics()
    bench.traffic.emit([chat(name, text) for name, text in TEXTS.items()])
    (tmp_path / "policy.yaml").write_text(POLICY)
    model = bundle(tmp_path / "tiny" / "1")
    own = replace(bench.settings, model=model, policy=str(tmp_path / "policy.yaml"))
    made = build_line(own, SystemClock(), lambda where, _: pytest.fail(where)).route(
        bench.inputs(), 0.0
    )
    assert [one.decision and one.decision.queue for one in made] == [
        "cards",
        "fees",
        "general",
        "fees",
    ]
    bench.publish([record for one in made for record in one.records])
    for name, value in (*bench.traffic.environ.items(), ("ROUTER_MODEL", model)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ROUTER_POLICY", own.policy)
    return bench


def told(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[list[str], dict[str, Any]]:
    """What people read, and what machines do."""
    capsys.readouterr()
    assert run(["replay", "decisions", *PERIOD, *args]) == 0
    people = capsys.readouterr().out.splitlines()
    assert run(["replay", "decisions", *PERIOD, *args, "--json"]) == 0
    return people, json.loads(capsys.readouterr().out)


def test_another_model_and_another_policy_are_compared_with_what_was_decided(
    decided: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_topic, ends = decided.topics.chat, decided.ends()
    people, machines = told(capsys, "--model", bundle(tmp_path / "tiny" / "2", fee=LOST))
    assert people == [
        "4 decided again; 2 of 4 would change (50.00%), 2 to another queue; "
        "0 without a decision then.",
        "",
        "queue then\tqueue now\trecords",
        "fees\tcards\t2",
        "cards\tcards\t1",
        "general\tgeneral\t1",
        "",
        "source\tevent id\tqueue\treason\tconfidence",
        f"{chat_topic}/0/1\tb\tfees -> cards\tintent\t0.9998",
        f"{chat_topic}/0/3\td\tfees -> cards\tintent\t0.9998",
    ]
    assert (machines["changed"], machines["moved"], machines["reasons"]) == (2, 2, [])
    assert machines["queues"][0] == {"old": "fees", "new": "cards", "count": 2}
    made = {"queue": "fees", "reason": "intent", "confidence": 0.9998}
    assert [(one["event_id"], one["old"], one["new"]) for one in machines["changes"]] == [
        (name, made, made | {"queue": "cards"}) for name in ("b", "d")
    ]

    (tmp_path / "strict.yaml").write_text(STRICT)
    people, machines = told(capsys, "--policy", str(tmp_path / "strict.yaml"), "--show", "1")
    assert people[2:] == [
        "queue then\tqueue now\trecords",
        "fees\trouter.review\t2",
        "cards\tcards\t1",
        "general\tgeneral\t1",
        "",
        "reason then\treason now\trecords",
        "intent\tlow_confidence\t2",
        "",
        "source\tevent id\tqueue\treason\tconfidence",
        f"{chat_topic}/0/1\tb\tfees -> router.review\tintent -> low_confidence\t0.9998",
    ]
    assert (machines["changed"], machines["moved"], machines["share_changed"]) == (2, 2, 0.5)
    assert machines["reasons"] == [{"old": "intent", "new": "low_confidence", "count": 2}]
    assert [one["new"]["queue"] for one in machines["changes"]] == ["router.review"]
    assert decided.ends() == ends, "nothing is written"

    assert run(["replay", "decisions", "--from", PERIOD[1], "--to", "2020-01-02T00:00:00Z"]) == 0
    assert "No input stands between these times" in capsys.readouterr().err
