"""The workers under test: started, aimed at, killed, paused, stopped, and started again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos import target
from tests.chaos.board import Board, Moment, Phase
from tests.chaos.plan import Aim, Kill, Pause, Stop

_POLL = 0.002
_JOINED_WITHIN = 40.0
_SPRUNG_WITHIN = 8.0
_TRIES = 5
STOPPED_WITHIN = 30.0
"""Seconds within which a worker that was told to stop must be gone."""

Note = Callable[[str, Mapping[str, Any]], None]
"""Told of each thing that is done or happens."""


class Slot:
    """One place for a worker process."""

    def __init__(self, number: int, folder: Path, environ: Mapping[str, str]) -> None:
        self.number = number
        self.environ = environ
        self.board = Board(folder / f"board-{number}")
        self.log = folder / f"worker-{number}.log"
        self.process: ForkServerProcess | None = None
        self.due = 0.0
        self.wanted = True

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    @property
    def joined(self) -> bool:
        return self.alive and self.board.joined

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.pid is not None and self.alive:
            os.kill(self.process.pid, number)


class Fleet:
    """A context manager that leaves no process behind. ``tend`` is called whenever it waits: what
    left by itself is noted and started again."""

    def __init__(self, slots: int, environ: Mapping[str, str], folder: Path, note: Note) -> None:
        """The first slot is a static member of its group, the others are dynamic ones."""
        self._note = note
        self._orders = folder / "orders"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([target.__name__])
        own = {name: value for name, value in os.environ.items() if not name.startswith("ROUTER_")}
        own |= environ
        self.slots = [
            Slot(n, folder, own | ({"ROUTER_INSTANCE": "chaos-0"} if n == 0 else {}))
            for n in range(slots)
        ]
        self.stuck = 0
        """Workers that did not leave when told to, and had to be killed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for slot in self.slots:
            slot.wanted = False
            if slot.process is not None:
                slot.process.kill()
                slot.process.join()

    def tend(self) -> None:
        """Note who left, and start who is due."""
        for slot in self.slots:
            if slot.process is not None and not slot.process.is_alive():
                self._note("exit", {"slot": slot.number, "code": slot.process.exitcode})
                slot.process.close()
                slot.process = None
            if slot.process is None and slot.wanted and time.monotonic() >= slot.due:
                self._start(slot)

    def until(self, true: Callable[[], bool], within: float) -> bool:
        """Tend until it is so; False: the time is up."""
        deadline = time.monotonic() + within
        while not true():
            self.tend()
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def all_join(self, within: float) -> bool:
        return self.until(lambda: all(slot.joined for slot in self.slots), within)

    def wait(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def order(self, order: str) -> None:
        """To every worker's model; empty: be well."""
        if order:
            self._orders.write_text(order)
        else:
            self._orders.unlink(missing_ok=True)
        self._note("model", {"order": order or "be well"})

    def kill(self, action: Kill) -> None:
        """One that left by itself just before is none; then it is tried again."""
        for _ in range(_TRIES):
            slot = self._take_aim(action.aim)
            process = slot.process
            if process is None:
                continue
            slot.due = time.monotonic() + action.away
            slot.signal(signal.SIGKILL)
            process.join()
            if process.exitcode == -signal.SIGKILL:
                phase = slot.board.phase(action.aim.phase)
                self._note("kill", {"slot": slot.number, "aimed": action.aim.phase.name,
                                    "phase": phase.name})  # fmt: skip
                return

    def pause(self, action: Pause) -> None:
        slot = self._take_aim(action.aim)
        slot.signal(signal.SIGSTOP)
        phase = slot.board.phase(action.aim.phase)
        self.wait(target.SESSION_SECONDS + action.over)
        slot.board.disarm()
        slot.signal(signal.SIGCONT)
        self._note("pause", {"slot": slot.number, "phase": phase.name})

    def stop(self, action: Stop) -> None:
        slot = self._take_aim(action.aim)
        phase = slot.board.phase(action.aim.phase)
        self._terminate(slot, action.away)
        self._note("stop", {"slot": slot.number, "phase": phase.name})

    def end(self) -> list[int | None]:
        """Tell all to stop for good; their exit codes."""
        codes = []
        for slot in self.slots:
            slot.wanted = False
            slot.board.disarm()
            slot.signal(signal.SIGTERM)
        for slot in self.slots:
            if slot.process is None:
                continue
            slot.process.join(STOPPED_WITHIN)
            if slot.alive:
                self._force(slot)
            codes.append(slot.process.exitcode)
        return codes

    def _take_aim(self, aim: Aim) -> Slot:
        """A worker at the wanted phase, held there. While brokers are away none comes to it: tried
        again for a while, then whatever the worker is at must do."""
        for _ in range(_TRIES):
            slot = self._member(aim.slot)
            slot.board.arm(aim.phase, aim.moment)
            if aim.phase is Phase.REBALANCE:
                self._shake(slot)
            self.until(partial(_sprung_or_dead, slot, slot.process), _SPRUNG_WITHIN)
            if slot.board.sprung and slot.alive:
                break
            slot.board.disarm()
        if aim.moment is Moment.THROUGH:
            time.sleep(aim.delay)
        return slot

    def _member(self, number: int) -> Slot:
        """The wanted slot, or the next one that has joined."""
        order = self.slots[number:] + self.slots[:number]
        self.until(lambda: order[0].joined, _JOINED_WITHIN / 4)
        self.until(lambda: any(slot.joined for slot in order), _JOINED_WITHIN)
        return next((slot for slot in order if slot.joined), order[0])

    def _shake(self, target_slot: Slot) -> None:
        """Have the group rebalance: one of the others leaves in order, and comes back."""
        others = [one for one in self.slots[1:] if one is not target_slot and one.joined]
        if others:
            others[0].due = 0.0
            others[0].signal(signal.SIGTERM)
            self._note("stop", {"slot": others[0].number, "phase": "to shake the group"})

    def _terminate(self, slot: Slot, away: float) -> None:
        slot.board.disarm()
        slot.due = time.monotonic() + away
        slot.signal(signal.SIGTERM)
        process = slot.process
        if not self.until(lambda: slot.process is not process or not slot.alive, STOPPED_WITHIN):
            self._force(slot)

    def _force(self, slot: Slot) -> None:
        self.stuck += 1
        self._note("stuck", {"slot": slot.number, "phase": slot.board.phase().name})
        slot.signal(signal.SIGKILL)
        if slot.process is not None:
            slot.process.join()

    def _start(self, slot: Slot) -> None:
        slot.board.clear()
        arguments = (slot.environ, slot.board.path, self._orders, slot.log)
        slot.process = self._context.Process(target=target.main, args=arguments)
        slot.process.start()


def _sprung_or_dead(slot: Slot, process: ForkServerProcess | None) -> bool:
    """``process`` is who was aimed at; another may be in its place by now."""
    return slot.board.sprung or slot.process is not process or not slot.alive
