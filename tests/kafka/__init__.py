"""Apache Kafka for tests: one node or three, in KRaft mode, on free loopback ports.

In a test use the fixtures of ``tests/conftest.py``; by hand ``python -m tests.kafka --help``.
"""

from tests.kafka.cluster import Cluster, Node
from tests.kafka.jars import Unavailable

__all__ = ["Cluster", "Node", "Unavailable"]
