"""One run of the worker: start, join, work, drain, and the exit code that says how it went."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from router import __version__
from router.core.asking import OnFault
from router.core.breaker import Watch
from router.core.choosing import ModelSet
from router.core.clock import Clock
from router.errors import DrainTimeout, RouterError, StreamError
from router.ops import garbage
from router.ops.clock import SystemClock
from router.ops.faults import FaultReporter
from router.ops.health import Health, heartbeat, is_ready
from router.ops.health_server import HealthServer
from router.ops.metrics import Metrics
from router.ops.model_watch import ModelWatches
from router.settings import Settings
from router.stream.app import StreamApp, consumer_of, make_app, make_lanes, producer_of
from router.stream.capabilities import Capabilities, ask_broker
from router.stream.delivery import AtLeastOnce, Delivery
from router.stream.exactly_once import ExactlyOnce
from router.stream.following import Following, FollowingLine, Looks
from router.stream.guarantee import guarantee
from router.stream.producers import transaction_limit, transactional_producers
from router.stream.refusals import explained
from router.stream.runtime import Runtime
from router.stream.watch import watch
from router.stream.work import Routing

ABANDONED = StreamError.exit_code
_LEAVE_SECONDS = 5.0
"""After a failure: time to leave the group, so that another worker takes over at once."""

_log = structlog.get_logger("router.worker")


BuildLine = Callable[[Settings, Clock, OnFault, Watch], FollowingLine]
"""``router.assembly.build_line``."""

Follow = Callable[[Settings, Clock, OnFault, ModelWatches, ModelSet], Following | None]
"""``router.assembly.follow_models``."""


def run_worker(settings: Settings, build_line: BuildLine, follow: Follow | None = None) -> int:
    """Work until a signal or a failure; gives the exit code, and has logged why. Without
    ``follow``, the line's models stay.

    From ``ABANDONED`` on, the caller must leave the process with it at once (``os._exit``): what
    did not finish is still there, and tidying up would wait for it, with a broker that is gone
    perhaps for ever.
    """
    runner = asyncio.Runner()
    try:
        runner.run(_Worker(settings, build_line, follow).run())
    except RouterError as failure:
        error = explained(failure)
        cause = error.__cause__
        _log.error("stopped", problem=error.problem, fix=error.fix, exit_code=error.exit_code,
                   cause=type(cause).__name__ if cause else None)  # fmt: skip
        if error.exit_code < ABANDONED:
            runner.close()
        return error.exit_code
    runner.close()
    _log.info("stopped", exit_code=0)
    return 0


class _Worker:
    def __init__(self, settings: Settings, build_line: BuildLine, follow: Follow | None) -> None:
        self._settings = settings
        self._build_line = build_line
        self._follow = follow
        self._following: Following | None = None
        self._clock = SystemClock()
        self._metrics = Metrics(self._clock)
        self._health = Health(self._clock)
        self._watches = ModelWatches(self._metrics, self._health)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="line")
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Returns after a signal and a clean drain.

        Raises:
            RouterError: anything else.
        """
        settings = self._settings
        self._metrics.ready_from(is_ready(self._health))
        server = HealthServer(
            settings.metrics_host, settings.metrics_port, self._metrics.registry, self._health
        )
        beating = asyncio.create_task(heartbeat(self._health))
        with server:
            _log.info("starting", version=__version__, broker=settings.broker,
                      group=settings.group, metrics_port=server.port)  # fmt: skip
            self._listen_for_signals()
            try:
                ready = await self._unless_told(self._prepare())
                if ready is not None:
                    await self._work(*ready)
            finally:
                beating.cancel()
                self._executor.shutdown(wait=False, cancel_futures=True)

    async def _prepare(self) -> tuple[FollowingLine, Capabilities]:
        loop = asyncio.get_running_loop()
        line = await loop.run_in_executor(self._executor, self._open_line)
        self._metrics.decides_by(line.policy.ref)
        self._watches.started(line.models)
        topics = self._settings.topics()
        wanted = (*topics.inputs, *topics.outputs(line.policy.queues))
        return line, await ask_broker(self._settings, wanted)

    def _open_line(self) -> FollowingLine:
        """The line under all models that are to be in force, a canary and a shadow among them."""
        faults = FaultReporter(self._metrics, self._clock)
        line = self._build_line(self._settings, self._clock, faults, self._watches.live)
        if self._follow is not None:
            self._following = self._follow(
                self._settings, self._clock, faults, self._watches, line.models
            )
        models = self._following.look() if self._following else None
        return line.with_models(models) if models else line

    async def _work(self, line: FollowingLine, broker: Capabilities) -> None:
        settings = self._settings
        runtime = Runtime(settings, self._clock, self._metrics, self._health)
        app = make_app(runtime, settings.topics(), broker)
        runtime.delivery = _delivery(settings, broker, app)
        work = Routing(line, runtime, settings.topics(), self._executor)
        runtime.lanes = make_lanes(runtime, app, work)
        self._metrics.lag_from(runtime.lag)
        garbage.settle()
        starting = asyncio.ensure_future(app.start())
        watching = asyncio.ensure_future(watch(app, runtime))
        try:
            with Looks(self._following, settings.model_check, line, work, self._watches):
                await self._until_the_end(runtime, starting, watching)
        finally:
            watching.cancel()
            await self._leave(app, runtime)
            starting.cancel()
            # With a limit: what waits for a broker that is gone does not heed a cancellation.
            await asyncio.wait({starting, watching}, timeout=1)

    async def _until_the_end(
        self, runtime: Runtime, starting: asyncio.Future[Any], watching: asyncio.Future[None]
    ) -> None:
        told = asyncio.ensure_future(self._told.wait())
        waiting: set[asyncio.Future[Any]] = {told, runtime.failed, watching, starting}
        while not told.done():
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                _raise_from(future)
            waiting -= done

    async def _leave(self, app: StreamApp, runtime: Runtime) -> None:
        """Finish what is in flight, commit and leave the group; after a failure only leave.

        Raises:
            DrainTimeout: it took too long.
            StreamError: what went wrong meanwhile.
        """
        runtime.draining()
        consumer_of(app).stopping = True
        failed = runtime.failed.done()
        limit = _LEAVE_SECONDS if failed else self._settings.drain_timeout
        stopping = asyncio.ensure_future(app.stop())
        await asyncio.wait(
            {stopping} if failed else {stopping, runtime.failed},
            timeout=limit,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not failed and runtime.failed.done():
            runtime.failed.result()
        if not stopping.done() and not failed:
            raise DrainTimeout(f"The worker could not stop within {limit:g} s.")
        if stopping.done() and stopping.exception() and not failed:
            raise StreamError("The worker could not stop in order.") from stopping.exception()

    async def _unless_told(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What ``work`` gives, or None as soon as a signal comes."""
        task = asyncio.ensure_future(work)
        told = asyncio.ensure_future(self._told.wait())
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            told.cancel()
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: int) -> None:
        if self._told.is_set():
            _log.error("stopped by a second signal, in the middle of its work")
            os._exit(128 + number)
        _log.info("stopping", signal=signal.Signals(number).name)
        self._told.set()


def _raise_from(future: asyncio.Future[Any]) -> None:
    try:
        future.result()
    except RouterError:
        raise
    except Exception as error:
        words = f"The stream failed ({type(error).__name__})."
        raise StreamError(words, "It was not a record's fault: see the log above.") from error


def _delivery(settings: Settings, broker: Capabilities, app: StreamApp) -> Delivery:
    chosen = guarantee(settings, broker)
    _log.info("delivery", guarantee=chosen.name, because=chosen.because,
              idempotent=broker.idempotent)  # fmt: skip
    if chosen.name == "exactly-once":
        make, committed = transactional_producers(settings), consumer_of(app).committed
        return ExactlyOnce(settings.group, make, committed, transaction_limit(settings))
    # Twice: one answer may time out, and the next still come.
    return AtLeastOnce(producer_of(app), 2 * settings.request_timeout)
