"""Brokers killed and started again, one at a time, beside everything else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from tests.chaos.fleet import Note
from tests.chaos.plan import Restart
from tests.kafka import Cluster

_IN_SYNC_WITHIN = 120.0
_LOOK = 0.5


class Brokers:
    """Does ``restarts`` in a thread of its own; the next waits until all are in sync again."""

    def __init__(
        self,
        cluster: Cluster,
        restarts: Sequence[Restart],
        in_sync: Callable[[], bool],
        note: Note,
    ) -> None:
        self._cluster = cluster
        self._restarts = restarts
        self._in_sync = in_sync
        self._note = note
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="brokers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_done(self) -> bool:
        """Whether all of it is done.

        Raises:
            RuntimeError: a broker does not come back.
        """
        if self._failed is not None:
            raise RuntimeError("A broker did not come back.") from self._failed
        return not self._thread.is_alive()

    def stop(self) -> None:
        """After the restart under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for restart in self._restarts:
                if self._stopping.wait(restart.gap):
                    return
                self._do(restart)
        except BaseException as error:
            self._failed = error

    def _do(self, restart: Restart) -> None:
        node = self._cluster.nodes[restart.node]
        began = time.monotonic()
        node.kill()
        self._note("broker", {"node": node.node_id, "is": "killed"})
        time.sleep(restart.down)
        self._cluster.restart(node)
        deadline = time.monotonic() + _IN_SYNC_WITHIN
        while not self._in_sync():
            if time.monotonic() > deadline:
                raise RuntimeError(f"Node {node.node_id} is not in sync:\n{node.log_tail()}")
            time.sleep(_LOOK)
        seconds = round(time.monotonic() - began, 1)
        self._note("broker", {"node": node.node_id, "is": "in sync", "after": seconds})
