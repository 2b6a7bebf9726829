"""`router worker`: read messages from Kafka and route them, until told to stop."""

from __future__ import annotations

import os
import sys
import threading

import click

from router.cli.context import settings_of


@click.command(name="worker")
@click.pass_context
def worker_command(context: click.Context) -> int:
    """Read messages from Kafka and route them, until SIGTERM or Ctrl-C.

    \b
    Logs `ready` once it has joined its group and can decide. A first signal finishes the batch
    in flight, a second one leaves at once. Exit codes:
      0  told to stop, and nothing was left unfinished
      3  the broker cannot be reached, or lacks a topic or a feature
      4  the model bundle cannot be verified
      5  the stream could not go on; start it again, nothing is lost
      6  the batch in flight did not finish in time; the next start repeats it

    Unless ROUTER_MODEL names a model, it follows live.json: what `router model promote`,
    `rollback`, `canary` and `shadow` write there is in force within ROUTER_MODEL_CHECK seconds.

    \b
    Example:
      ROUTER_BROKER=kafka-1:9092,kafka-2:9092 router worker
    """
    # Late, so that `router --help` need not wait for Faust.
    from router.assembly import build_line, follow_models
    from router.model.calling import THREAD as CALLS
    from router.ops.logging import configure_logging
    from router.stream.following import THREAD as LOOKS
    from router.stream.worker import ABANDONED, run_worker

    settings = settings_of(context)
    configure_logging(settings)
    code = run_worker(settings, build_line, follow_models)
    if code >= ABANDONED or any(thread.name in (CALLS, LOOKS) for thread in threading.enumerate()):
        # What hangs in the model, or loads one, would wake up in an interpreter that is gone.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
