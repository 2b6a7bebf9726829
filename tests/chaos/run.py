"""One run: a cluster, events, workers, violence by plan, and the history of it all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.policies import open_policy
from router.settings import Settings
from tests.chaos.brokers import Brokers
from tests.chaos.fleet import Fleet
from tests.chaos.history import Deed, Delivery, History
from tests.chaos.plan import Action, Kill, Pause, Stop, Tell, make_plan
from tests.chaos.stand import Stand
from tests.chaos.traffic import Traffic
from tests.kafka import Cluster

POLICY = Path(__file__).with_name("policy.yaml")
_PARTITIONS = 4
_DONE_WITHIN = 180.0
_JOINED_WITHIN = 120.0
_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a run is; ``rate`` is events a second."""

    seed: int
    delivery: Delivery
    kills: int
    restarts: int
    nodes: int = 3
    slots: int = 3
    rate: float = 100.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run's history, and what has no place in one: ``unfinished`` are troubles of the run as a
    whole, a sentence each."""

    history: History
    unfinished: tuple[str, ...]
    seconds: float


def run(
    shape: Shape, cluster: Cluster, folder: Path, tell: Callable[[str], None] = lambda line: None
) -> Outcome:
    """Do it all on ``cluster``; ``folder`` takes logs, ``tell`` a line now and then.

    Raises:
        RuntimeError: the brokers or the producer failed, so that nothing can be said.
    """
    return _Run(shape, cluster, folder, tell).all()


class _Run:
    def __init__(
        self, shape: Shape, cluster: Cluster, folder: Path, tell: Callable[[str], None]
    ) -> None:
        self._shape = shape
        self._tell = tell
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._history = History(shape.delivery)
        self._unfinished: list[str] = []
        prefix = f"{shape.delivery}."
        settings = Settings(broker=cluster.bootstrap, topic_prefix=prefix, group=f"{prefix}group")
        self._stand = Stand(settings, tuple(open_policy(POLICY).queues), _PARTITIONS)
        self._stand.create(replication=shape.nodes)
        self._plan = make_plan(
            shape.seed,
            kills=shape.kills,
            restarts=shape.restarts,
            slots=shape.slots,
            nodes=shape.nodes,
        )
        self._traffic = Traffic(cluster.bootstrap, settings.topics(), shape.seed, shape.rate)
        self._fleet = Fleet(shape.slots, _environ(settings, shape), folder, self._note)
        self._brokers = Brokers(cluster, self._plan.restarts, self._stand.in_sync, self._note)

    def all(self) -> Outcome:
        self._traffic.start()
        with self._fleet:
            self._begin()
            try:
                self._do_plan()
                self._fleet.until(self._brokers.is_done, 3600)
            finally:
                self._brokers.stop()
            self._fleet.order("")
            self._traffic.stop()
            self._history.produced = self._traffic.produced
            self._tell("all is done that was planned; waiting for the rest to be routed")
            self._finish()
        self._read()
        return Outcome(self._history, tuple(self._unfinished), time.monotonic() - self._began)

    def _begin(self) -> None:
        if not self._fleet.all_join(_JOINED_WITHIN):
            raise RuntimeError("The workers did not all join; see their logs.")
        self._tell("all workers have joined")
        self._brokers.start()

    def _do_plan(self) -> None:
        actions = self._plan.actions
        for count, action in enumerate(actions, start=1):
            self._do(action)
            if count % 10 == 0:
                self._tell(f"{count} of {len(actions)} actions done")
            self._fleet.wait(action.gap)

    def _do(self, action: Action) -> None:
        match action:
            case Kill():
                self._fleet.kill(action)
            case Pause():
                self._fleet.pause(action)
            case Stop():
                self._fleet.stop(action)
            case Tell():
                self._fleet.order(action.order)

    def _finish(self) -> None:
        deadline = time.monotonic() + _DONE_WITHIN
        done = False
        while not done and time.monotonic() < deadline:
            self._fleet.wait(_WAIT)
            done = self._stand.is_done()
        if not done:
            self._unfinished.append(f"The group did not come to the end in {_DONE_WITHIN:g} s.")
        self._fleet.all_join(_JOINED_WITHIN)  # one may just have been started again
        codes = self._fleet.end()
        if any(codes):
            self._unfinished.append(f"Left with {codes} though nothing was done to them.")
        if self._fleet.stuck:
            self._unfinished.append(f"{self._fleet.stuck} workers did not leave when told to.")

    def _read(self) -> None:
        if not self._settled():
            self._unfinished.append(
                f"A transaction is open on {', '.join(self._stand.undecided())}."
            )
        self._history.standing = self._stand.inputs()
        self._history.read = self._stand.outputs()

    def _settled(self) -> bool:
        """All transactions have ended, so that the last stable offset is the end."""
        deadline = time.monotonic() + _DONE_WITHIN
        while self._stand.undecided():
            if time.monotonic() > deadline:
                return False
            time.sleep(_WAIT)
        return True

    def _note(self, what: str, detail: Mapping[str, Any]) -> None:
        with self._lock:
            at = round(time.monotonic() - self._began, 3)
            self._history.deeds.append(Deed(at, what, dict(detail)))


def _environ(settings: Settings, shape: Shape) -> dict[str, str]:
    return {
        "ROUTER_BROKER": settings.broker,
        "ROUTER_TOPIC_PREFIX": settings.topic_prefix,
        "ROUTER_GROUP": settings.group,
        "ROUTER_DELIVERY": shape.delivery,
        "ROUTER_POLICY": str(POLICY),
        "ROUTER_METRICS_PORT": "0",
        "ROUTER_LOG_FORMAT": "json",
        "ROUTER_REQUEST_TIMEOUT": "8",
        "ROUTER_DRAIN_TIMEOUT": "5",
        # Short, so that a model that was broken is asked again before the next thing happens.
        "ROUTER_MODEL_DEADLINE": "1",
        "ROUTER_BREAKER_PAUSE": "0.2",
        "ROUTER_BREAKER_MAX_PAUSE": "1",
    }
