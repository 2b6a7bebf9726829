"""Models promoted, on canary, in the shadow and rolled back while messages flow: each message is
decided once, and by the model that was in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from router.core.choosing import in_share
from router.core.record import Source
from router.model.live import LIVE, Canary, Live, write_live
from tests.events import Emitted, chat
from tests.integration.conftest import StartWorker
from tests.integration.expected import assert_in_order
from tests.integration.traffic import QUEUES, Traffic, source_of
from tests.integration.worker import Worker, total
from tests.model.tiny import SURE, TinyStage, write_bundle

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

WITHIN = 60.0
SHARE = 0.4
WORDS = "could you please tell me what this will cost"
POLICY = f"""\
schema: routing-policy/v1
name: two
version: "1"
defaults: {{threshold: 0.5, in_scope: 0.1, priority: 3, due: 1d}}
review: {{priority: 2, due: 2h}}
otherwise: router.review
queues:
  {QUEUES[0]}: {{description: What 1 reads., intents: [lost_card]}}
  {QUEUES[1]}: {{description: What 2 reads., intents: [greeting]}}
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Two bundles that read the same words, 2 as another intent, and 3 that is damaged."""
    folder = tmp_path / "models"
    for version, logits in (("1", SURE), ("2", SURE[::-1]), ("3", SURE)):
        stage = TinyStage("only", dict.fromkeys(WORDS.split(), logits), max_tokens=32)
        write_bundle(folder / "tiny" / version, stage)
    with (folder / "tiny" / "3" / "labels.json").open("a") as labels:
        labels.write(" ")
    write_live(folder / LIVE, Live("tiny@1"))
    return folder


@dataclass
class Flow:
    """Messages in rounds; each is decided under what was in force from its beginning."""

    traffic: Traffic
    worker: Worker
    models: Path
    conversation_of: dict[Source, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def put(self, live: Live, seen: Callable[[Worker], bool]) -> None:
        """Write ``live`` while messages flow; until the worker's metrics say that it is in force
        messages are decided under the one or the other."""
        self.emit(40)
        write_live(self.models / LIVE, live)
        self.emit(40)
        self.worker.wait_until(lambda: seen(self.worker), f"under {live}", WITHIN)

    def emit(self, count: int) -> list[Source]:
        made = [self._message() for _ in range(count)]
        records = self.traffic.emit(made)
        conversations = [one.conversation for one in made]
        sources = [record.source for record in records]
        self.conversation_of |= zip(sources, conversations, strict=True)
        return sources

    def decided(self) -> None:
        """Wait for all that was emitted."""
        self.traffic.wait_outcomes(
            len(self.traffic.emitted), within=WITHIN, alive=self.worker.assert_alive
        )

    def _message(self) -> Emitted:
        number = next(self.numbers)
        return chat(f"e{number}", WORDS, f"c{number % 30}")


def in_force(worker: Worker, version: str, role: str) -> bool:
    series = "router_model_role_info"
    return total(worker.counts(), series, name="tiny", version=version, role=role) == 1


def test_no_message_is_lost_or_doubled_by_a_change_and_each_names_its_model(
    traffic: Traffic, start_worker: StartWorker, models: Path
) -> None:
    (policy := models / "policy.yaml").write_text(POLICY)
    worker = start_worker(
        traffic,
        ROUTER_MODELS=str(models),
        ROUTER_MODEL_CHECK="0.1",
        ROUTER_POLICY=str(policy),
    )
    flow = Flow(traffic, worker.wait_ready(), models)
    under: dict[str, list[Source]] = {"1": flow.emit(60)}
    flow.decided()

    flow.put(
        Live("tiny@1", canary=Canary("tiny@2", SHARE), shadow="tiny@2"),
        lambda it: in_force(it, "2", "canary") and in_force(it, "2", "shadow"),
    )
    under["canary"] = flow.emit(120)
    flow.decided()
    shown = sum(not in_share(flow.conversation_of[one], SHARE) for one in under["canary"])
    worker.wait_until(
        lambda: total(worker.counts(), "router_shadow_total") >= shown, "compared", WITHIN
    )

    flow.put(Live("tiny@2"), lambda it: in_force(it, "2", "live"))
    under["2"] = flow.emit(60)
    flow.decided()

    refused = "router_model_refused_total"
    flow.put(Live("tiny@3"), lambda it: total(it.counts(), refused) == 1)
    under["2"] += flow.emit(60)
    flow.decided()

    flow.put(Live("tiny@1"), lambda it: in_force(it, "1", "live"))
    under["1"] += flow.emit(60)
    flow.decided()

    everything = len(traffic.emitted)
    worker.wait_until(
        lambda: total(worker.counts(), "router_model_decisions_total") >= everything,
        "counted",
        WITHIN,
    )
    counts = worker.counts()
    assert worker.terminate() == 0

    found = traffic.read()
    log = [record for record in found if record.topic == traffic.topics.decisions]
    by = {source_of(record): orjson.loads(record.value) for record in log}
    emitted = {record.source for record in traffic.emitted}
    assert Counter(map(source_of, log)) == Counter(emitted)
    assert Counter(source_of(one) for one in found if one not in log) == Counter(emitted)
    assert_in_order(found, traffic.emitted)

    versions = {source: decision["model"]["version"] for source, decision in by.items()}
    assert {versions[source] for source in under["1"]} == {"1"}
    assert {versions[source] for source in under["2"]} == {"2"}
    for source in under["canary"]:
        its = in_share(flow.conversation_of[source], SHARE)
        assert versions[source] == ("2" if its else "1")
    assert {versions[source] for source in under["canary"]} == {"1", "2"}

    told = {v: total(counts, "router_model_decisions_total", version=v) for v in ("1", "2")}
    assert told == Counter(versions.values())
    assert total(counts, "router_model_swaps_total") == 3
    assert total(counts, refused) == 1
    assert total(counts, "router_model_info", name="tiny", version="1") == 1
    assert total(counts, "router_model_info") == 1
    # They never agree, and the canary's conversations are not compared.
    assert total(counts, "router_shadow_total", agrees="true") == 0
    assert shown <= total(counts, "router_shadow_total", agrees="false") < everything
