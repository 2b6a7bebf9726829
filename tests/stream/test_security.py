"""TLS and SASL: what the settings say reaches the client, and mistakes name their setting."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from router.errors import BrokerError, SettingsError
from router.settings import Settings
from router.stream.security import TokenFile, client_options


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key, the key under the password `open`."""
    folder = tmp_path_factory.mktemp("pki")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", "/CN=router", "-days", "2", "-passout", "pass:open"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_plain_is_the_default() -> None:
    assert client_options(Settings()) == {"security_protocol": "PLAINTEXT"}


def test_tls_checks_the_brokers_certificate_and_name(pair: tuple[Path, Path]) -> None:
    context = client_options(Settings(security_protocol="SSL", tls_ca_file=str(pair[0])))[
        "ssl_context"
    ]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def _client(pair: tuple[Path, Path], password: str) -> Settings:
    return Settings(
        security_protocol="SSL",
        tls_cert_file=str(pair[0]),
        tls_key_file=str(pair[1]),
        tls_key_password=password,
    )


def test_a_client_certificate_is_opened_with_its_password(pair: tuple[Path, Path]) -> None:
    assert "ssl_context" in client_options(_client(pair, "open"))


@pytest.mark.parametrize("password", ["mistaken", ""])
def test_a_wrong_password_names_the_setting(pair: tuple[Path, Path], password: str) -> None:
    with pytest.raises(SettingsError, match="ROUTER_TLS_KEY_PASSWORD") as error:
        client_options(_client(pair, password))
    assert not password or password not in str(error.value)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bad_authority_file_names_the_setting(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(SettingsError, match="ROUTER_TLS_CA_FILE"):
        client_options(Settings(security_protocol="SSL", tls_ca_file=str(path)))


def test_user_and_password_reach_the_client() -> None:
    settings = Settings(
        security_protocol="SASL_PLAINTEXT",
        sasl_username="router",
        sasl_password="quiet",  # noqa: S106 - invented
    )
    assert client_options(settings) == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "router",
        "sasl_plain_password": "quiet",
    }


async def test_a_renewed_token_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    settings = Settings(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        sasl_token_file=str(path),
    )
    provider = client_options(settings)["sasl_oauth_token_provider"]
    path.write_text("first\n")
    assert await provider.token() == "first"
    path.write_text("second\n")
    assert await provider.token() == "second"


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
async def test_a_missing_token_names_the_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BrokerError, match=str(path)):
        await TokenFile(path).token()
