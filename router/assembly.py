"""From settings to a line: reads the files once, at start, and says which one is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from router import __version__
from router.core.asking import OnFault
from router.core.breaker import BreakerLimits, Watch
from router.core.choosing import Model, ModelSet, Role
from router.core.clock import Clock
from router.core.line import Line
from router.core.parsing import EventValidators
from router.core.prediction import Classifier
from router.core.text import LanguageStep
from router.core.topics import Channel
from router.errors import UsageError
from router.policies import open_policy
from router.resources import SCHEMAS
from router.settings import Settings

if TYPE_CHECKING:
    from router.model.guard import Guard
    from router.model.roles import Roles
    from router.ops.model_watch import ModelWatches


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
    line = Line(
        open_policy(settings.policy),
        open_classifier(settings) if model else None,
        open_languages(),
        open_validators(),
        settings.topics(),
        clock,
        max_event_bytes=settings.max_event_bytes,
        router_version=__version__,
        on_fault=on_fault,
    )
    if watch is None or line.classifier is None:
        return line
    guard = _guard(settings, clock, watch, _LIVES)
    return line.with_models(ModelSet(live=Model(line.classifier, guard.ask, guard.close)))


def follow_models(
    settings: Settings,
    clock: Clock,
    on_fault: OnFault,
    watches: ModelWatches,
    models: ModelSet,
) -> Roles | None:
    """What keeps to ``live.json``, where ``models`` (of `build_line`) are in force; None where
    ``ROUTER_MODEL`` names another model."""
    from router.model.following import Follower  # noqa: PLC0415  # the worker's alone
    from router.model.roles import Roles  # noqa: PLC0415  # as said above

    if settings.model or models.live is None:
        return None

    def guard_of(role: Role) -> Guard:
        return _guard(settings, clock, watches.of(role), _LIVES if role == "live" else _TRIALS)

    follower = Follower(
        settings.models_folder,
        partial(load_bundle, threads=settings.infer_threads),
        watches.refused,
        models.live.classifier,
    )
    return Roles(follower, models, guard_of, watches, on_fault)


_LIVES, _TRIALS = 0.6, 0.15
"""Most of ROUTER_DRAIN_TIMEOUT that one call may take: a stop in the middle of calls that hang, of
the canary and then of the live model, still has time to publish its batch."""


def _guard(settings: Settings, clock: Clock, watch: Watch, most: float) -> Guard:
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
        most=settings.drain_timeout * most,
    )
    return Guard(limits, deadline, clock, watch)


def bundle_path(settings: Settings) -> Path:
    """The folder of the model in force.

    Raises:
        BundleError: there is none of this name.
    """
    from router.model.bundle import find_bundle  # noqa: PLC0415  # see open_classifier

    return find_bundle(settings.model, settings.models_folder)


def open_classifier(settings: Settings) -> Classifier:
    """The model in force, its hashes verified.

    Raises:
        BundleError: it is missing, malformed or fails its hashes.
    """
    return load_bundle(bundle_path(settings), settings.infer_threads)


def load_bundle(folder: Path, threads: int) -> Classifier:
    """The model in ``folder``, its hashes verified and its samples asked.

    Raises:
        BundleError: it is missing, malformed, fails its hashes or answers its samples otherwise.
    """
    # Late: ONNX Runtime takes longest to import, and most that read a policy need no model.
    from router.model.classifier import load_classifier  # noqa: PLC0415  # as said above

    return load_classifier(folder, threads)


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
