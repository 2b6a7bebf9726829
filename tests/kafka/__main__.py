"""``python -m tests.kafka``: runs Kafka until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from tests.kafka.cluster import Cluster
from tests.kafka.jars import Unavailable
from tests.kafka.leash import free_ports


def main() -> int:
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    extra = free_ports(arguments.nodes - 1) if arguments.port else []
    ports = [arguments.port, *extra] if arguments.port else []
    try:
        with Cluster(arguments.data, nodes=arguments.nodes, ports=ports, quick=False) as cluster:
            sys.stdout.write(f"{cluster.bootstrap}\n")
            sys.stdout.flush()
            while not stop.wait(1):
                if dead := [n for n in cluster.nodes if not n.running]:
                    sys.stderr.write(f"A node ended.\n{dead[0].log_tail()}\n")
                    return 1
    except (Unavailable, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kafka",
        description="Run Apache Kafka on the loopback address until SIGTERM or Ctrl-C. "
        "Prints the bootstrap address once it answers.",
        epilog="example: python -m tests.kafka --port 9092 --data /tmp/kafka --nodes 3",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port of the first node (0: a free one)"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder for its data; what is in it is lost"
    )
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
