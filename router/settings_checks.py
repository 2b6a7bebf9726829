"""What one setting's type cannot say: forms, and settings that contradict one another."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from router.errors import SettingsError

if TYPE_CHECKING:
    from router.settings import Settings

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,\[\]]+):([0-9]{1,5})")


def check(settings: Settings) -> None:
    """Compare the settings with one another and with what Kafka allows.

    Raises:
        SettingsError: what is wrong, by variable.
    """
    _check_broker(settings.broker)
    _check_topics(settings)
    _check_security(settings)
    if settings.breaker_max_pause < settings.breaker_pause:
        raise SettingsError("ROUTER_BREAKER_MAX_PAUSE must be at least ROUTER_BREAKER_PAUSE.")


def _check_broker(broker: str) -> None:
    for server in broker.split(","):
        match = _SERVER.fullmatch(server.strip())
        if match is None or not 0 < int(match[2]) <= 65_535:
            raise SettingsError(
                "ROUTER_BROKER must be host:port, several separated by commas.",
                "For example kafka-1:9092,kafka-2:9092.",
            )


def _check_topics(settings: Settings) -> None:
    if settings.topic_queue.count("{queue}") != 1:
        raise SettingsError("ROUTER_TOPIC_QUEUE must hold {queue} exactly once.")
    seen: dict[str, str] = {}
    for spec in fields(settings):
        if not spec.name.startswith("topic_") or spec.name == "topic_prefix":
            continue
        variable = "ROUTER_" + spec.name.upper()
        topic = settings.topic_prefix + getattr(settings, spec.name)
        if not _TOPIC.fullmatch(topic.replace("{queue}", "queue")):
            raise SettingsError(
                f"{variable}, with ROUTER_TOPIC_PREFIX before it, is no topic name.",
                "Kafka takes up to 249 letters, digits, dots, hyphens and underscores.",
            )
        if topic in seen:
            raise SettingsError(f"{seen[topic]} and {variable} name the same topic.")
        seen[topic] = variable


def _check_security(settings: Settings) -> None:
    if bool(settings.tls_cert_file) != bool(settings.tls_key_file):
        raise SettingsError("ROUTER_TLS_CERT_FILE and ROUTER_TLS_KEY_FILE go together.")
    if settings.security_protocol.startswith("SASL"):
        if settings.sasl_mechanism == "OAUTHBEARER":
            if not settings.sasl_token_file:
                raise SettingsError("OAUTHBEARER needs ROUTER_SASL_TOKEN_FILE.")
        elif not (settings.sasl_username and settings.sasl_password):
            raise SettingsError(
                f"{settings.sasl_mechanism} needs ROUTER_SASL_USERNAME and ROUTER_SASL_PASSWORD."
            )
