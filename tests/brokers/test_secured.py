"""TLS with certificates on both sides and SASL, from the settings to a real Kafka."""

from __future__ import annotations

import gc
from functools import cache
from pathlib import Path

import pytest

from router import assembly
from router.cli.main import run
from router.errors import RefusedError
from router.settings import load_settings
from router.stream.admin import open_admin
from tests.events import chat, events, sized
from tests.integration.traffic import Traffic
from tests.integration.worker import Worker
from tests.kafka import Cluster, secure
from tests.model.tiny import SURE, TinyStage, write_bundle
from tests.stream.replay.bench import Bench, send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

WAYS = ["", "PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"]
"""TLS alone, and TLS with each mechanism."""

MISTAKES = {
    "PLAIN": {"ROUTER_SASL_PASSWORD": "loud-fire"},
    "SCRAM-SHA-512": {"ROUTER_SASL_PASSWORD": "loud-fire"},
    "OAUTHBEARER": {"ROUTER_SASL_TOKEN_FILE": "expired"},
    "": {"ROUTER_TLS_CA_FILE": ""},
}

REPLAYS = {
    "dead-letter": ["--re-emit", "--yes"],
    "decisions": ["--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z"],
}


def mistaken(cluster: Cluster, way: str, folder: Path) -> dict[str, str]:
    """Settings that the broker refuses, or that refuse the broker."""
    environ = cluster.secure_environ(way) | MISTAKES[way]
    if way == "OAUTHBEARER":
        (folder / "token").write_text(secure.token(seconds=-60))
        environ["ROUTER_SASL_TOKEN_FILE"] = str(folder / "token")
    return environ


def secrets(environ: dict[str, str]) -> list[str]:
    """Whatever in ``environ`` nobody may read."""
    given = [environ.get(f"ROUTER_{n}", "") for n in ("SASL_PASSWORD", "TLS_KEY_PASSWORD")]
    if file := environ.get("ROUTER_SASL_TOKEN_FILE"):
        given.append(Path(file).read_text())
    return [one for one in given if one]


def assert_none_told(environ: dict[str, str], said: str) -> None:
    assert [one for one in secrets(environ) if one in said] == []


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_is_let_in(secured_kafka: Cluster, way: str) -> None:
    settings = load_settings(secured_kafka.secure_environ(way))
    async with open_admin(settings) as admin:
        assert await admin.describe(["absent"]) == {}


@pytest.mark.parametrize("way", WAYS)
async def test_a_mistake_is_refused_and_the_setting_named(
    secured_kafka: Cluster, way: str, tmp_path: Path
) -> None:
    environ = mistaken(secured_kafka, way, tmp_path)
    with pytest.raises(RefusedError) as refused:
        async with open_admin(load_settings(environ)):
            pytest.fail("it was let in")
    assert next(iter(MISTAKES[way])) in refused.value.fix
    assert_none_told(environ, f"{refused.value!r} {refused.value}")


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_with_a_mistake_says_so_once_and_leaves_without_trying_again(
    secured_kafka: Cluster, topic_prefix: str, tmp_path: Path, way: str
) -> None:
    environ = mistaken(secured_kafka, way, tmp_path) | {"ROUTER_LOG_LEVEL": "debug"}
    traffic = Traffic(secured_kafka.bootstrap, topic_prefix)
    with Worker(traffic.environ | environ, tmp_path) as worker:
        assert worker.left(within=120) == 3
        said = worker.log_file.read_text()
    assert said.count('"stopped"') == 1
    assert "trying again" not in said
    assert said.count("Unable connect") <= 1
    assert next(iter(MISTAKES[way])) in said.splitlines()[-1]
    assert "Traceback" not in said
    assert_none_told(environ, said)


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_reads_and_writes_through_it_and_tells_no_secret(  # noqa: PLR0917 - fixtures
    secured_kafka: Cluster,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    way: str,
) -> None:
    """Neither do the commands that print settings or errors."""
    secure_environ = secured_kafka.secure_environ(way)
    traffic = Traffic(secured_kafka.bootstrap, topic_prefix, partitions=2)
    for name, value in (traffic.environ | secure_environ).items():
        monkeypatch.setenv(name, value)
    assert run(["topics", "create", "--partitions", "2"]) == 0
    traffic.emit(events(50, seed=9))
    loud = {"ROUTER_LOG_LEVEL": "debug"}
    with Worker(traffic.environ | secure_environ | loud, tmp_path) as worker:
        traffic.wait_outcomes(50, within=180, alive=worker.assert_alive)
        assert worker.terminate() == 0
    for command in (["settings"], ["settings", "--json"], ["doctor"], ["doctor", "--json"]):
        run(command)
    out, err = capfd.readouterr()
    assert "ROUTER_SASL_PASSWORD" in out
    assert_none_told(secure_environ, out + err + worker.log_file.read_text())


def test_replay_sends_again_and_decides_anew_through_it(
    secured_kafka: Cluster,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(assembly, "open_languages", cache(assembly.open_languages))
    bench = Bench(Traffic(secured_kafka.bootstrap, topic_prefix, partitions=1))
    bench.traffic.create_topics()
    bench.traffic.emit([sized("large", 5_000)])
    bench.work(max_event_bytes=1_000)
    bench.traffic.emit([chat("a", "hello"), chat("b", "hello")])
    bench.work()
    model = write_bundle(tmp_path / "tiny" / "1", TinyStage("only", {"card": SURE}))
    secure_environ = secured_kafka.secure_environ("SCRAM-SHA-512")
    own = {"ROUTER_TOPIC_PREFIX": topic_prefix, "ROUTER_MODEL": str(model)}
    for name, value in (secure_environ | own).items():
        monkeypatch.setenv(name, value)
    assert run(["replay", "decisions", *REPLAYS["decisions"]]) == 0
    told = capsys.readouterr()
    assert "3 decided again" in told.out
    assert [send(capsys)["sent"] for _ in range(2)] == [1, 0]
    assert len(bench.sent_again()) == len(bench.marks()) == 1
    assert_none_told(secure_environ, told.out + told.err)


# The client leaves a TLS connection that was refused half closed when its loop ends.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("way", ["", "SCRAM-SHA-512"])
@pytest.mark.parametrize("command", REPLAYS)
def test_replay_with_a_mistake_says_so_in_one_line(  # noqa: PLR0917 - fixtures
    secured_kafka: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: str,
    way: str,
) -> None:
    model = write_bundle(tmp_path / "tiny" / "1", TinyStage("only", {"card": SURE}))
    environ = mistaken(secured_kafka, way, tmp_path)
    for name, value in (environ | {"ROUTER_MODEL": str(model)}).items():
        monkeypatch.setenv(name, value)
    assert run(["replay", command, *REPLAYS[command]]) == 3
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert next(iter(MISTAKES[way])) in err
    assert_none_told(environ, err)
    gc.collect()
