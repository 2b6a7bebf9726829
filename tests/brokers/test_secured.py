"""TLS with certificates on both sides and SASL, from the settings to a real Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.cli.main import run
from router.errors import BrokerError
from router.settings import load_settings
from router.stream.admin import open_admin
from tests.events import events
from tests.integration.traffic import Traffic
from tests.integration.worker import Worker
from tests.kafka import Cluster

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"])
async def test_each_mechanism_is_let_in(secured_kafka: Cluster, mechanism: str) -> None:
    settings = load_settings(secured_kafka.secure_environ(mechanism))
    async with open_admin(settings) as admin:
        assert await admin.describe(["absent"]) == {}


@pytest.mark.parametrize(
    "wrong", [{"ROUTER_SASL_PASSWORD": "mistaken"}, {"ROUTER_TLS_CA_FILE": ""}], ids=str
)
async def test_the_wrong_password_or_authority_is_refused(
    secured_kafka: Cluster, wrong: dict[str, str]
) -> None:
    environ = secured_kafka.secure_environ("SCRAM-SHA-512") | wrong
    with pytest.raises(BrokerError, match="No broker answers"):
        async with open_admin(load_settings(environ)):
            pytest.fail("it was let in")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "OAUTHBEARER"])
def test_a_worker_reads_and_writes_through_it(
    secured_kafka: Cluster,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mechanism: str,
) -> None:
    secure = secured_kafka.secure_environ(mechanism)
    traffic = Traffic(secured_kafka.bootstrap, topic_prefix, partitions=2)
    for name, value in (traffic.environ | secure).items():
        monkeypatch.setenv(name, value)
    assert run(["topics", "create", "--partitions", "2"]) == 0
    traffic.emit(events(50, seed=9))
    with Worker(traffic.environ | secure, tmp_path) as worker:
        traffic.wait_outcomes(50, within=60, alive=worker.assert_alive)
        assert worker.terminate() == 0
        assert "quiet-water" not in worker.log_file.read_text()
