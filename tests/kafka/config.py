"""What a node reads: ``server.properties`` and its logging."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

_SERVER = """\
process.roles=broker,controller
node.id={node_id}
controller.quorum.voters={voters}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,TLS:SSL
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
log.dirs={data}
default.replication.factor={replication}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replication}
offsets.topic.num.partitions=5
transaction.state.log.replication.factor={replication}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor={replication}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
num.partitions=1
log.segment.bytes=104857600
broker.session.timeout.ms=6000
"""

_LOGGING = """\
status=error
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=OUT
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
"""


def new_cluster_id() -> str:
    """A new one; none starts with a hyphen, which Kafka's tool would take for an option."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return text.replace("-", "_")


def write(
    folder: Path,
    node_id: int,
    listeners: Mapping[str, int],
    controllers: Sequence[int],
    extra: str = "",
) -> None:
    """Write a node's two files into ``folder``: its listeners by name and port, all nodes'
    controller ports, and more lines for the server."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = len(controllers)
    server = _SERVER.format(
        node_id=node_id,
        voters=",".join(f"{i + 1}@127.0.0.1:{p}" for i, p in enumerate(controllers)),
        listeners=",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items()),
        controller=controllers[node_id - 1],
        data=folder / "data",
        replication=nodes,
        in_sync=2 if nodes == 3 else 1,
    )
    (folder / "server.properties").write_text(server + extra)
    (folder / "log4j2.properties").write_text(_LOGGING)
