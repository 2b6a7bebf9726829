"""Listeners with TLS both ways, with SASL and without, beside the plain one: certificates, users,
settings."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

from tests.kafka.jars import Unavailable

USER = "router"
PASSWORD = "quiet-water"  # noqa: S105 - invented, of a broker that lives for one test

KEY_PASSWORD = "still-pond"  # noqa: S105 - likewise, of the client's key

_LINES = """\
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.secure.plain.sasl.jaas.config={jaas}.plain.PlainLoginModule required \
user_{user}="{password}";
listener.name.secure.scram-sha-512.sasl.jaas.config={jaas}.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config={jaas}.oauthbearer.OAuthBearerLoginModule \
required unsecuredLoginStringClaim_sub="{user}";
"""

AUTHORIZER = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
"""Who comes by a plain listener may do all, and whoever comes by the secured one what ACLs say."""

STORAGE = ("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]")
"""What the storage is formatted with, so that the SCRAM user exists."""


def check() -> None:
    """See that there is OpenSSL, to make certificates with.

    Raises:
        Unavailable: there is none.
    """
    if not shutil.which("openssl"):
        raise Unavailable("A secured Kafka needs the command `openssl`.")


def certificates(folder: Path) -> None:
    """An authority, a broker's and a client's pair, in PEM."""
    folder.mkdir(parents=True, exist_ok=True)
    new = ("req", "-x509", "-days", "2", "-newkey", "rsa:2048")
    plain = ("-noenc",)
    _openssl(folder, *new, *plain, "-subj", "/CN=tests", "-keyout", "ca.key", "-out", "ca.pem")
    for name, secret in (("broker", plain), ("client", ("-passout", f"pass:{KEY_PASSWORD}"))):
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-subj", f"/CN={name}")
        alt = ("-addext", "subjectAltName=IP:127.0.0.1")
        _openssl(
            folder, *new, *secret, *signed, *alt, "-keyout", f"{name}.key", "-out", f"{name}.crt"
        )
    pair = (folder / "broker.key").read_bytes() + (folder / "broker.crt").read_bytes()
    (folder / "broker.pem").write_bytes(pair)


def server_lines(folder: Path) -> str:
    """For ``server.properties``; ``folder`` holds the certificates."""
    jaas = "org.apache.kafka.common.security"
    return _LINES.format(folder=folder, jaas=jaas, user=USER, password=PASSWORD)


def environ(folder: Path, port: int, mechanism: str) -> dict[str, str]:
    """The router's settings for the listener on ``port``; no mechanism is TLS alone."""
    settings = {
        "BROKER": f"127.0.0.1:{port}",
        "SECURITY_PROTOCOL": "SASL_SSL" if mechanism else "SSL",
        "TLS_CA_FILE": f"{folder}/ca.pem",
        "TLS_CERT_FILE": f"{folder}/client.crt",
        "TLS_KEY_FILE": f"{folder}/client.key",
        "TLS_KEY_PASSWORD": KEY_PASSWORD,
    }
    if mechanism:
        settings |= _sasl(folder, mechanism)
    return {f"ROUTER_{name}": value for name, value in settings.items()}


def _sasl(folder: Path, mechanism: str) -> dict[str, str]:
    settings = {"SASL_MECHANISM": mechanism}
    if mechanism == "OAUTHBEARER":
        (folder / "token").write_text(token())
        settings["SASL_TOKEN_FILE"] = f"{folder}/token"
    else:
        settings |= {"SASL_USERNAME": USER, "SASL_PASSWORD": PASSWORD}
    return settings


def token(seconds: int = 600) -> str:
    """An unsigned token, which a broker without a validator of its own takes."""
    now = int(time.time())
    claims = {"sub": USER, "iat": now, "exp": now + seconds}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
