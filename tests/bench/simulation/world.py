"""Partitions, the workers that have them, and time.

A worker takes what waits on its partitions, at most a batch, works on it for a fixed time and a
time for each message, and publishes it; then it looks again, and first at the partition after the
last. Order within a partition is kept. When workers come or go all of them pause, and the
partitions are dealt anew. Events are a heap of moments; nothing is drawn by chance but the
arrivals, so a seed gives the same run again.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from tests.bench.simulation.arrivals import Places, Times
from tests.bench.simulation.scaling import Aims, Scaler


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds: ``fixed`` a batch and ``each`` a message of the worker's time, ``after`` until what
    it published can be read (the worker goes on meanwhile); ``pause`` a rebalance takes, ``start``
    a new worker needs before it joins."""

    fixed: float
    each: float
    after: float = 0.0
    batch_records: int = 1_000
    pause: float = 3.0
    start: float = 20.0


@dataclass(frozen=True, slots=True)
class Seen:
    """``waits`` are each message's seconds until it can be read, in order of arrival; ``workers``
    the moments at which their number changed; ``lag`` the largest age seen at each look;
    ``ended`` when the last batch was done."""

    waits: Times
    workers: list[tuple[float, int]]
    lag: list[tuple[float, float]]
    ended: float


@dataclass(slots=True)
class _Worker:
    partitions: list[int] = field(default_factory=list)
    next: int = 0
    free: float = 0.0
    spent: float = 0.0
    asleep: bool = False


def simulate(
    times: Times,
    places: Places,
    partitions: int,
    costs: Costs,
    *,
    workers: int,
    aims: Aims | None = None,
    down: tuple[float, float] | None = None,
) -> Seen:
    """Until every message is done. With ``aims`` the number of workers follows them; ``down`` is a
    time without any, as when the cluster or the bundle is broken."""
    return _World(times, places, partitions, costs, workers, aims, down).run()


class _World:
    def __init__(  # noqa: PLR0917 - `simulate` names them
        self,
        times: Times,
        places: Places,
        partitions: int,
        costs: Costs,
        workers: int,
        aims: Aims | None,
        down: tuple[float, float] | None,
    ) -> None:
        self._times, self._costs, self._down = times, costs, down
        self._order = [np.flatnonzero(places == number) for number in range(partitions)]
        self._due: list[list[float]] = [times[one].tolist() for one in self._order]
        self._ends = [np.zeros(len(due)) for due in self._due]
        self._done = [0] * partitions
        self._until = [0.0] * partitions
        self._left = len(times)
        self._heap: list[tuple[float, int, str, int]] = []
        self._number = 0
        self._scaler = Scaler(aims) if aims else None
        self._aims = aims
        self._changes: list[tuple[float, int]] = []
        self._lag: list[tuple[float, float]] = []
        self._workers: list[_Worker] = []
        self._wanted = workers
        self._epoch = 0
        self._looked = (0.0, 0.0)
        self._deal(0.0, workers, pause=0.0)
        if aims:
            self._push(aims.period, "look", 0)
        if down:
            self._push(down[0], "down", 0)
            self._push(down[1], "up", 0)

    def run(self) -> Seen:
        while self._left:
            now, _, kind, value = heapq.heappop(self._heap)
            if kind == "work":
                epoch, worker = divmod(value, 1 << 20)
                if epoch == self._epoch:
                    self._work(now, self._workers[worker], value)
            elif kind == "look":
                self._look(now)
            elif kind == "join":
                if not self._is_down(now):
                    self._deal(now, self._wanted, self._costs.pause)
            elif kind == "down":
                self._epoch += 1
                self._workers = []
                self._changes.append((now, 0))
            else:
                self._deal(now, self._wanted, self._costs.pause)
        return Seen(self._waits(), self._changes, self._lag, max(self._until, default=0.0))

    def _work(self, now: float, worker: _Worker, value: int) -> None:
        """One batch of what waits on the worker's partitions; nothing: it sleeps until something
        comes."""
        taken = self._taken(now, worker)
        if taken:
            size = sum(waiting for _, waiting in taken)
            took = self._costs.fixed + size * self._costs.each
            worker.spent += took
            for number, waiting in taken:
                done = self._done[number]
                self._ends[number][done : done + waiting] = now + took
                self._until[number] = now + took
                self._done[number] += waiting
            self._left -= size
            self._push(now + took, "work", value)
            return
        coming = [
            max(self._due[number][self._done[number]], self._until[number])
            for number in worker.partitions
            if self._done[number] < len(self._due[number])
        ]
        if coming:
            self._push(min(coming), "work", value)

    def _taken(self, now: float, worker: _Worker) -> list[tuple[int, int]]:
        """How many of which partitions go into the next batch."""
        count, first = len(worker.partitions), worker.next
        taken: list[tuple[int, int]] = []
        room = self._costs.batch_records
        for step in range(count):
            number = worker.partitions[(first + step) % count]
            done, due = self._done[number], self._due[number]
            if room and done < len(due) and due[done] <= now and self._until[number] <= now:
                waiting = bisect_right(due, now, done, min(done + room, len(due))) - done
                taken.append((number, waiting))
                room -= waiting
                worker.next = (first + step + 1) % count
        return taken

    def _waits(self) -> Times:
        waits = np.zeros(len(self._times))
        for order, ends in zip(self._order, self._ends, strict=True):
            waits[order] = ends + self._costs.after - self._times[order]
        return waits

    def _look(self, now: float) -> None:
        assert self._aims is not None
        assert self._scaler is not None
        ages = (
            now - due[done]
            for done, due in zip(self._done, self._due, strict=True)
            if done < len(due)
        )
        lag = max(0.0, max(ages, default=0.0))
        self._lag.append((now, lag))
        since, spent_before = self._looked
        spent = sum(worker.spent for worker in self._workers)
        present = len(self._workers)
        if present and now > since:
            busy = min(1.0, max(0.0, spent - spent_before) / (now - since) / present)
            # As a HorizontalPodAutoscaler sees it: who is still starting counts, and is idle.
            had = self._wanted
            self._wanted = self._scaler.decide(now, had, lag, busy * min(1.0, present / had))
            if self._wanted != had:
                wait = self._costs.start if self._wanted > had else 0.0
                self._push(now + wait, "join", 0)
        self._looked = (now, spent)
        self._push(now + self._aims.period, "look", 0)

    def _deal(self, now: float, workers: int, pause: float) -> None:
        """Round robin over so many workers, who begin after ``pause``."""
        self._epoch += 1
        self._workers = [_Worker() for _ in range(workers)]
        self._looked = (now, 0.0)
        for number in range(len(self._due)):
            self._workers[number % workers].partitions.append(number)
        for place in range(workers):
            self._push(now + pause, "work", (self._epoch << 20) + place)
        self._changes.append((now, workers))

    def _is_down(self, now: float) -> bool:
        return self._down is not None and self._down[0] <= now < self._down[1]

    def _push(self, at: float, kind: str, value: int) -> None:
        self._number += 1
        heapq.heappush(self._heap, (at, self._number, kind, value))
