"""Every setting: one frozen object, read from ``ROUTER_*`` variables or a ``.env``-style file.

A field's name in upper case after ``ROUTER_`` is its variable. Type, default, meaning and example
are declared once, here; ``router settings`` prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from router.core.topics import Topics
from router.errors import SettingsError
from router.resources import MODELS
from router.settings_checks import check

PREFIX = "ROUTER_"

Delivery = Literal["auto", "exactly-once", "at-least-once"]
OnExpired = Literal["stop", "continue"]
SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


def _setting(
    default: Any,
    doc: str,
    *,
    example: str = "",
    secret: bool = False,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    metadata = {"doc": doc, "example": example, "secret": secret, "low": low, "high": high}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Durations are seconds, sizes are bytes."""

    broker: str = _setting(
        "127.0.0.1:9092", "Kafka bootstrap servers.", example="kafka-1:9092,kafka-2:9092"
    )
    group: str = _setting("router", "Consumer group; workers of one group share the partitions.")
    instance: str = _setting(
        "",
        "Static member id, unique in the group; empty makes a dynamic member.",
        example="router-0",
    )
    delivery: Delivery = _setting("auto", "Delivery guarantee; auto asks the broker.")
    topic_prefix: str = _setting("", "Put before every topic's name, in and out.", example="eu.")
    topic_chat: str = _setting("messages.chat", "Input topic of chat events.")
    topic_email: str = _setting("messages.email", "Input topic of email events.")
    topic_queue: str = _setting("queue.{queue}", "Output topic of a queue; {queue} is its name.")
    topic_review: str = _setting("router.review", "Topic of what people must sort.")
    topic_decisions: str = _setting("router.decisions", "Topic of every decision, without text.")
    topic_dead_letter: str = _setting("router.dead-letter", "Topic of records that are no event.")
    topic_feedback: str = _setting("router.feedback", "Topic of what people corrected.")
    topic_replays: str = _setting("router.replays", "Topic of which dead letters were sent again.")
    max_event_bytes: int = _setting(
        1_000_000, "Largest input value; a larger one is dead-lettered.", low=1_000, high=50_000_000
    )
    policy: str = _setting("", "Policy file; empty is the default policy.", example="policy.yaml")
    model: str = _setting(
        "", "Bundle folder or name@version; empty follows live.json.", example="banking@2"
    )
    models: str = _setting("", "Folder of live.json and the bundles; empty is the package's own.")
    model_check: float = _setting(
        10.0, "Seconds between two looks of the worker at live.json.", low=0.1, high=3600
    )
    batch_records: int = _setting(
        1_000,
        "Largest slice of a fetch that is routed and published together; smaller where routing it "
        "would take longer than a second.",
        low=1,
        high=10_000,
    )
    fetch_wait: float = _setting(
        0.25,
        "Longest wait of the broker before it answers a fetch that finds nothing.",
        low=0,
        high=5,
    )
    session_timeout: float = _setting(
        30.0, "A worker silent for so long loses its partitions.", low=6, high=300
    )
    request_timeout: float = _setting(
        30.0, "Longest wait for any one answer of the broker.", low=5, high=300
    )
    drain_timeout: float = _setting(
        25.0, "On SIGTERM, longest wait for the batch in flight.", low=1, high=300
    )
    watchdog: float = _setting(
        120.0,
        "Records wait and none is decided for so long: not ready; twice as long: the worker leaves "
        "with exit code 7. 0 switches it off.",
        low=0,
        high=86_400,
    )
    on_expired: OnExpired = _setting(
        "stop",
        "What to do where a topic's retention outran the group: stop, or continue with what is "
        "left.",
    )
    infer_threads: int = _setting(1, "ONNX Runtime threads within one operator.", low=1, high=128)
    model_deadline: float = _setting(
        5.0,
        "Longest wait for the model's answer to one text; beyond it, the model counts as hanging.",
        low=0.01,
        high=600,
    )
    model_deadline_per_text: float = _setting(
        0.1,
        "What each further text of a batch adds to that wait, up to 0.6 of ROUTER_DRAIN_TIMEOUT.",
        low=0,
        high=60,
    )
    breaker_failures: int = _setting(
        3, "So many batches in a row that the model fails on, and it is not asked.", low=1, high=100
    )
    breaker_share: float = _setting(
        0.5, "Or such a share of the last 20 batches.", low=0.05, high=1
    )
    breaker_pause: float = _setting(
        5.0, "Then the wait before a probe; each that fails doubles it.", low=0.1, high=3600
    )
    breaker_max_pause: float = _setting(60.0, "The longest of these waits.", low=0.1, high=3600)
    breaker_probes: int = _setting(
        2, "Probes in a row to be answered before the model is asked again.", low=1, high=100
    )
    metrics_host: str = _setting("127.0.0.1", "Address of /metrics, /healthz and /readyz.")
    metrics_port: int = _setting(9464, "Their port; 0 picks a free one.", low=0, high=65_535)
    log_format: LogFormat = _setting("auto", "auto is console on a terminal, else JSON.")
    log_level: LogLevel = _setting("info", "Least level that is written.")
    log_text: bool = _setting(False, "Write customer text to logs; for development alone.")
    security_protocol: SecurityProtocol = _setting("PLAINTEXT", "How the broker is spoken to.")
    tls_ca_file: str = _setting("", "PEM file of authorities; empty is the system's.")
    tls_cert_file: str = _setting("", "PEM file of the client certificate.")
    tls_key_file: str = _setting("", "PEM file of the client key.")
    tls_key_password: str = _setting("", "Password of the client key.", secret=True)
    sasl_mechanism: SaslMechanism = _setting("SCRAM-SHA-512", "SASL mechanism.")
    sasl_username: str = _setting("", "SASL user.")
    sasl_password: str = _setting("", "SASL password.", secret=True)
    sasl_token_file: str = _setting(
        "", "File holding the OAUTHBEARER token, read again at each connection."
    )

    @property
    def models_folder(self) -> Path:
        """Where live.json and the bundles are."""
        return Path(self.models) if self.models else MODELS

    def topics(self) -> Topics:
        """The topics' full names, the prefix put before each."""
        prefix = self.topic_prefix
        return Topics(
            chat=prefix + self.topic_chat,
            email=prefix + self.topic_email,
            queue_pattern=prefix + self.topic_queue,
            review=prefix + self.topic_review,
            decisions=prefix + self.topic_decisions,
            dead_letter=prefix + self.topic_dead_letter,
            feedback=prefix + self.topic_feedback,
            replays=prefix + self.topic_replays,
        )


def load_settings(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """Settings from ``environ`` over ``config``'s lines (``ROUTER_NAME=value``) over defaults.

    A variable that is no setting is passed over (an orchestrator puts its own there, such as
    ``ROUTER_SERVICE_HOST``) and named by `unknown_variables`; in the file it is an error.

    Raises:
        SettingsError: an unknown name in ``config``, a malformed value, or a contradiction; the
            message names the variable.
    """
    given = _read_config(config) if config else {}
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    if unknown := sorted(given.keys() - known.keys()):
        raise SettingsError(
            f"{config}: {unknown[0]} is no setting of the router.", "`router settings` lists them."
        )
    given |= {name: value for name, value in environ.items() if name in known}
    hints = get_type_hints(Settings)
    values = {known[n].name: _parse(n, v, known[n], hints[known[n].name]) for n, v in given.items()}
    settings = Settings(**values)
    check(settings)
    return settings


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Names in ``environ`` that look like settings and are none: worth a warning, as a misspelt
    setting is one of them."""
    known = {PREFIX + f.name.upper() for f in fields(Settings)}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _read_config(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"The settings file {path} cannot be read: {reason}.") from None
    values: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.removeprefix("export ").partition("=")
        if not equals:
            raise SettingsError(f"{path}, line {number}: expected NAME=value.")
        values[name.strip()] = value.strip().strip("\"'")
    return values


_BOOLS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def _parse(name: str, value: str, spec: Field[Any], hint: Any) -> Any:
    if choices := get_args(hint):
        if value not in choices:
            raise SettingsError(f"{name} must be one of {', '.join(choices)}.")
        return value
    if hint is bool:
        if value.lower() not in _BOOLS:
            raise SettingsError(f"{name} must be true or false.")
        return _BOOLS[value.lower()]
    if hint in (int, float):
        return _number(name, value, spec, hint)
    return value


def _number(name: str, value: str, spec: Field[Any], hint: Callable[[str], float]) -> float:
    try:
        number = hint(value)
    except ValueError:
        raise SettingsError(f"{name} must be a number.", _service_link(value)) from None
    low, high = spec.metadata["low"], spec.metadata["high"]
    if not low <= number <= high:
        raise SettingsError(f"{name} must be from {low} to {high}.")
    return number


def _service_link(value: str) -> str:
    """Kubernetes sets ``ROUTER_METRICS_PORT`` for a service called ``router-metrics``."""
    if not value.startswith(("tcp://", "udp://")):
        return ""
    return "Kubernetes put it there for a service: set `enableServiceLinks: false` on the pod."
