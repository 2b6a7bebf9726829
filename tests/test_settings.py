"""Settings come from the environment over a file over defaults, and a wrong one is named."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import SettingsError
from router.settings import PREFIX, Settings, load_settings, unknown_variables


def test_the_defaults_are_right_and_listen_on_the_loopback_alone() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.metrics_host == "127.0.0.1"
    assert settings.security_protocol == "PLAINTEXT"


def test_every_setting_says_what_it_is() -> None:
    for spec in fields(Settings):
        assert spec.metadata["doc"].endswith("."), spec.name
        if any(word in spec.name for word in ("password", "secret")):
            assert spec.metadata["secret"], spec.name


def test_the_environment_goes_before_the_file_and_the_file_before_defaults(tmp_path: Path) -> None:
    config = tmp_path / "router.env"
    config.write_text(
        "# ours\n\nexport ROUTER_GROUP='from file'\nROUTER_BROKER=b:1\nROUTER_LOG_TEXT=yes\n"
    )
    settings = load_settings({"ROUTER_BROKER": "kafka:9092", "PATH": "/"}, config)
    assert (settings.broker, settings.group) == ("kafka:9092", "from file")
    assert settings.log_text is True
    assert settings.metrics_port == 9464


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("ROUTER_DELIVERY", "twice", "ROUTER_DELIVERY must be one of auto, exactly-once"),
        ("ROUTER_METRICS_PORT", "65536", "ROUTER_METRICS_PORT must be from 0 to 65535"),
        ("ROUTER_METRICS_PORT", "tcp://10.0.0.1:9464", "enableServiceLinks: false"),
        ("ROUTER_FETCH_WAIT", "nan", "ROUTER_FETCH_WAIT must be from 0 to 5"),
        ("ROUTER_BATCH_RECORDS", "many", "ROUTER_BATCH_RECORDS must be a number"),
        ("ROUTER_LOG_TEXT", "maybe", "ROUTER_LOG_TEXT must be true or false"),
        ("ROUTER_BROKER", "kafka", "ROUTER_BROKER must be host:port"),
        ("ROUTER_BROKER", "a:1,,b:2", "ROUTER_BROKER must be host:port"),
        ("ROUTER_BROKER", "a:0", "ROUTER_BROKER must be host:port"),
        ("ROUTER_TOPIC_QUEUE", "queues", "ROUTER_TOPIC_QUEUE must hold {queue} exactly once"),
        ("ROUTER_TOPIC_CHAT", "a b", "ROUTER_TOPIC_CHAT, with ROUTER_TOPIC_PREFIX before it"),
        ("ROUTER_TOPIC_PREFIX", "x" * 300, "is no topic name"),
        ("ROUTER_TOPIC_EMAIL", "messages.chat", "ROUTER_TOPIC_CHAT and ROUTER_TOPIC_EMAIL name"),
        ("ROUTER_TLS_CERT_FILE", "cert.pem", "ROUTER_TLS_KEY_FILE go together"),
        ("ROUTER_SECURITY_PROTOCOL", "SASL_SSL", "needs ROUTER_SASL_USERNAME"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(variable: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({variable: value})
    assert problem in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_token_in_a_file_takes_the_place_of_user_and_password() -> None:
    given = {"ROUTER_SECURITY_PROTOCOL": "SASL_SSL", "ROUTER_SASL_MECHANISM": "OAUTHBEARER"}
    with pytest.raises(SettingsError, match="ROUTER_SASL_TOKEN_FILE"):
        load_settings(given)
    settings = load_settings(given | {"ROUTER_SASL_TOKEN_FILE": "/run/bearer"})
    assert settings.sasl_token_file.endswith("bearer")


@pytest.mark.parametrize("broker", ["kafka-1:9092,kafka-2:9092", "[::1]:9092", "10.0.0.1:1"])
def test_several_servers_and_ipv6_are_servers(broker: str) -> None:
    assert load_settings({"ROUTER_BROKER": broker}).broker == broker


def test_a_misspelt_name_is_an_error_in_a_file_and_told_from_the_environment(
    tmp_path: Path,
) -> None:
    config = tmp_path / "router.env"
    config.write_text("ROUTER_GRUOP=a\n")
    with pytest.raises(SettingsError, match="ROUTER_GRUOP is no setting"):
        load_settings({}, config)
    assert load_settings({"ROUTER_GRUOP": "a"}) == Settings()
    assert unknown_variables({"ROUTER_GRUOP": "a", "ROUTER_GROUP": "b"}) == ["ROUTER_GRUOP"]


@pytest.mark.parametrize("content", [b"ROUTER_GROUP\n", b"\xff\xfe"])
def test_a_file_that_is_no_settings_file_is_named(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "router.env"
    config.write_bytes(content)
    with pytest.raises(SettingsError, match=r"router\.env"):
        load_settings({}, config)


def test_the_prefix_is_put_before_every_topic() -> None:
    topics = load_settings({"ROUTER_TOPIC_PREFIX": "eu."}).topics()
    names = (*topics.inputs, *topics.outputs(["cards"]))
    assert all(name.startswith("eu.") for name in names)
    assert topics.of_queue("cards") == "eu.queue.cards"


@given(st.sampled_from([spec.name for spec in fields(Settings)]), st.text())
def test_any_value_gives_settings_or_a_settings_error(name: str, value: str) -> None:
    with suppress(SettingsError):
        assert isinstance(load_settings({PREFIX + name.upper(): value}), Settings)
