"""From settings to a line: reads the files once, at start, and says which one is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from router import __version__
from router.core.asking import Ask, OnFault, ask
from router.core.breaker import BreakerLimits, Watch
from router.core.clock import Clock
from router.core.line import Line
from router.core.parsing import EventValidators
from router.core.prediction import Classifier
from router.core.text import LanguageStep
from router.core.topics import Channel
from router.errors import UsageError
from router.policies import open_policy
from router.resources import MODELS, SCHEMAS
from router.settings import Settings


def build_line(
    settings: Settings,
    clock: Clock,
    on_fault: OnFault,
    watch: Watch | None = None,
    *,
    model: bool = True,
) -> Line:
    """The line under the settings' policy and model; not ``model`` leaves that out, for who asks
    only what can be read. ``on_fault`` may be called from any thread.

    With ``watch`` the model is asked under a deadline and a circuit breaker, of which it is told.
    Without, an answer is waited for however long it takes: what is asked once, at a person's desk
    or to compare, must not depend on what the model did a minute ago.

    Raises:
        PolicyError: the policy is missing or breaks its schema.
        BundleError: the model is missing or fails its hashes.
        UsageError: a schema file is missing or malformed.
    """
    return Line(
        open_policy(settings.policy),
        open_classifier(settings) if model else None,
        open_languages(),
        open_validators(),
        settings.topics(),
        clock,
        max_event_bytes=settings.max_event_bytes,
        router_version=__version__,
        on_fault=on_fault,
        ask=_guarded(settings, clock, watch) if watch else ask,
    )


def _guarded(settings: Settings, clock: Clock, watch: Watch) -> Ask:
    from router.model.guard import Deadline, Guard  # noqa: PLC0415  # the worker's alone

    limits = BreakerLimits(
        failures=settings.breaker_failures,
        share=settings.breaker_share,
        pause=settings.breaker_pause,
        longest_pause=settings.breaker_max_pause,
        probes=settings.breaker_probes,
    )
    deadline = Deadline(
        settings.model_deadline,
        settings.model_deadline_per_text,
        # A stop in the middle of a call that hangs still has time to publish its batch.
        most=settings.drain_timeout * 0.6,
    )
    return Guard(limits, deadline, clock, watch).ask


def bundle_path(settings: Settings) -> Path:
    """The folder of the model in force.

    Raises:
        BundleError: there is none of this name.
    """
    from router.model.bundle import find_bundle  # noqa: PLC0415  # see open_classifier

    return find_bundle(settings.model, MODELS)


def open_classifier(settings: Settings) -> Classifier:
    """The model in force, its hashes verified.

    Raises:
        BundleError: it is missing, malformed or fails its hashes.
    """
    # Late: ONNX Runtime takes longest to import, and most that read a policy need no model.
    from router.model.classifier import load_classifier  # noqa: PLC0415  # as said above

    return load_classifier(bundle_path(settings), settings.infer_threads)


def open_languages() -> LanguageStep:
    """The language step."""
    from router.model.language import load_language_step  # noqa: PLC0415  # see open_classifier

    return load_language_step()


def open_validators(folder: Path = SCHEMAS) -> EventValidators:
    """The input schemas, compiled.

    Raises:
        UsageError: a schema file is missing or is no JSON Schema.
    """
    schemas: dict[Channel, Mapping[str, Any]] = {
        "chat": _schema(folder / "chat-message.v1.json"),
        "email": _schema(folder / "email-message.v1.json"),
    }
    try:
        return EventValidators(schemas)
    except ValueError:
        raise UsageError(f"A schema in {folder} is no JSON Schema 2020-12.", _REINSTALL) from None


_REINSTALL = "Install the package again: this file is part of it."


def _schema(path: Path) -> Mapping[str, Any]:
    try:
        schema: Mapping[str, Any] = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", _REINSTALL) from None
    except orjson.JSONDecodeError:
        raise UsageError(f"{path} is no JSON.", _REINSTALL) from None
    return schema
