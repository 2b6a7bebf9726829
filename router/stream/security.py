"""How every client speaks to the broker: plain, TLS, SASL, or both; one helper for all clients."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider

from router.errors import BrokerError, SettingsError
from router.settings import Settings


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for any of aiokafka's clients: protocol, TLS context, SASL.

    Raises:
        SettingsError: a TLS file cannot be read, or its password is wrong; names the setting.
    """
    options: dict[str, Any] = {"security_protocol": settings.security_protocol}
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        options["ssl_context"] = _tls(settings)
    if settings.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        if settings.sasl_mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = TokenFile(Path(settings.sasl_token_file))
        else:
            options["sasl_plain_username"] = settings.sasl_username
            options["sasl_plain_password"] = settings.sasl_password
    return options


class TokenFile(AbstractTokenProvider):
    """The token as it stands in a file now: another process renews it there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The file's content; asked for at each new connection.

        Raises:
            BrokerError: the file cannot be read or is empty.
        """
        return await asyncio.to_thread(self._read)

    def _read(self) -> str:
        try:
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            token = ""
        if not token:
            raise BrokerError(
                f"The token file {self._path} is empty or cannot be read.",
                "See what should renew it, or correct ROUTER_SASL_TOKEN_FILE.",
            )
        return token


def _tls(settings: Settings) -> ssl.SSLContext:
    """A context that checks the broker's certificate and name; there is no way to switch it off."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file or None)
    except (OSError, ssl.SSLError):
        raise SettingsError(
            f"ROUTER_TLS_CA_FILE: {settings.tls_ca_file} is no readable PEM file."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_cert_file:
        try:
            context.load_cert_chain(
                settings.tls_cert_file,
                settings.tls_key_file,
                # A function, or OpenSSL would ask on the terminal where a password is missing.
                password=lambda: settings.tls_key_password,
            )
        except (OSError, ssl.SSLError):
            raise SettingsError(
                "ROUTER_TLS_CERT_FILE, ROUTER_TLS_KEY_FILE: not a readable PEM pair, or "
                "ROUTER_TLS_KEY_PASSWORD is wrong."
            ) from None
    return context
