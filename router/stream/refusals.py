"""A broker that refuses us for good, told apart from one that does not answer yet.

aiokafka's clients try again in both cases and keep the reason in their own log.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from router.errors import DeniedError, RefusedError, RouterError
from router.settings import Settings
from router.stream.security import client_options

_CREDENTIALS = (AuthenticationFailedError, SaslAuthenticationFailed)
_MECHANISM = (
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    UnsupportedSaslMechanismError,
)
_RIGHTS = {
    TopicAuthorizationFailedError: "READ on the input topics and WRITE on the output topics",
    GroupAuthorizationFailedError: "READ on the group",
    TransactionalIdAuthorizationFailed: "WRITE on its transactional ids, or set ROUTER_DELIVERY to "
    "at-least-once",
    ClusterAuthorizationFailedError: "WRITE on the output topics",
}


async def refusal(settings: Settings) -> RefusedError | None:
    """Why the first broker that can be reached does not let us in; None if that is not why."""
    for address in settings.broker.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            async with asyncio.timeout(settings.request_timeout):
                await _enter(host, int(port), settings)
                return None
        except (KafkaError, OSError, TimeoutError) as error:
            if (refused := _refused(error, settings, address)) is not None:
                return refused
    return None


async def _enter(host: str, port: int, settings: Settings) -> None:
    connection = await create_conn(host, port, **client_options(settings))
    try:
        answer = await connection.send(MetadataRequest([]))
    finally:
        connection.close()
    if not answer.brokers and settings.security_protocol.startswith("SASL"):
        # So a broker that refuses a token tells aiokafka, which took it for accepted.
        raise SaslAuthenticationFailed


def _refused(error: Exception, settings: Settings, address: str) -> RefusedError | None:
    mechanism = settings.sasl_mechanism
    if isinstance(error, _CREDENTIALS):
        names = "ROUTER_SASL_USERNAME and ROUTER_SASL_PASSWORD"
        if mechanism == "OAUTHBEARER":
            names = "the token in ROUTER_SASL_TOKEN_FILE, and whether it has expired"
        return RefusedError(
            f"The broker at {address} refuses our credentials ({mechanism}).", f"Correct {names}."
        )
    if isinstance(error, _MECHANISM):
        return RefusedError(
            f"The broker at {address} does not take {mechanism} on that port.",
            "Correct ROUTER_SASL_MECHANISM, ROUTER_SECURITY_PROTOCOL or the port.",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return RefusedError(
            f"The certificate of {address} is not to be trusted: {error.verify_message}.",
            "ROUTER_TLS_CA_FILE names the authority that signed it, and ROUTER_BROKER the host "
            "that it was made for.",
        )
    if isinstance(error, ssl.SSLError):
        return RefusedError(
            f"No TLS with {address}: {error.reason}.",
            "See ROUTER_SECURITY_PROTOCOL, the port, and the client's pair in "
            "ROUTER_TLS_CERT_FILE and ROUTER_TLS_KEY_FILE.",
        )
    return None


def denied(error: BaseException, operation: str) -> RefusedError | None:
    """What `router replay` says where ``operation`` failed because the broker denies the right to
    it; None if that is not why."""
    for cause in (error, *_causes(error)):
        if isinstance(cause, TransactionalIdAuthorizationFailed):
            named = f"WRITE on the transactional id {_named(cause)}"
        elif isinstance(cause, TopicAuthorizationFailedError):
            named = f"{operation} on the topic {_named(cause)}"
        else:
            continue
        return RefusedError(
            f"The broker denies the right to {named}.",
            "Its administrator can give it; deploy/acls.md lists all that `router replay` needs.",
        )
    return None


def _named(error: KafkaError) -> str:
    """What aiokafka says was denied: one name, or several."""
    names = error.args[0] if error.args else ""
    return names if isinstance(names, str) else ", ".join(sorted(map(str, names)))


def explained(error: RouterError) -> RouterError:
    """``error``, or what is behind it if the broker denied a right: that is for the broker's
    administrator, and no restart will help."""
    for cause in _causes(error):
        for kind, right in _RIGHTS.items():
            if isinstance(cause, kind):
                denied = DeniedError(
                    f"The broker denies the router's user a right ({kind.__name__}).",
                    f"Give it {right}; deploy/acls.md lists all that it needs.",
                )
                denied.__cause__ = cause
                return denied
    return error


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__
