"""The composition against the code and the files beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from router.cli.main import router
from router.settings import PREFIX, Settings, load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_bytes())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = [name for name in SERVICES if name.startswith("worker-")]
OURS = [name for name, service in SERVICES.items() if service["image"] == "router"]
each_of_ours = pytest.mark.parametrize("name", OURS)
each_worker = pytest.mark.parametrize("name", WORKERS)
each = pytest.mark.parametrize("name", list(SERVICES))


def _listeners(name: str) -> dict[str, str]:
    given = SERVICES["kafka"]["environment"][name]
    return {part.partition("://")[0]: part.partition("://")[2] for part in given.split(",")}


def test_the_parts_are_all_there() -> None:
    assert {"kafka", "topics", "prometheus", "grafana"} <= SERVICES.keys()
    assert len(WORKERS) == 2
    assert set(OURS) == {"topics", *WORKERS}


@each_of_ours
def test_the_image_is_built_from_the_file_beside(name: str) -> None:
    build = SERVICES[name]["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert (context / build["dockerfile"]).resolve() == (DEPLOY / "Dockerfile").resolve()


@each_of_ours
def test_commands_are_commands_of_ours(name: str) -> None:
    command: click.Command = router
    for word in SERVICES[name]["command"]:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None, word
        command = found
    assert not isinstance(command, click.Group)


@each_of_ours
def test_variables_are_settings_and_lead_to_the_broker(name: str) -> None:
    given = SERVICES[name]["environment"]
    known = {PREFIX + field.upper() for field in Settings.__dataclass_fields__}
    assert given.keys() <= known
    assert load_settings(given).broker == _listeners("KAFKA_ADVERTISED_LISTENERS")["INTERNAL"]


@each_of_ours
def test_it_may_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@each_worker
def test_a_worker_has_time_to_drain(name: str) -> None:
    seconds = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert seconds >= Settings().drain_timeout + 5


@each_worker
def test_a_worker_starts_when_the_topics_are_made(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "topics": {"condition": "service_completed_successfully"}
    }
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert SERVICES["topics"]["restart"] == "no"


def test_the_workers_have_names_of_their_own() -> None:
    names = {SERVICES[name]["environment"]["ROUTER_INSTANCE"] for name in WORKERS}
    assert len(names) == len(WORKERS)


@each
def test_ports_are_on_the_loopback_address_alone_and_none_comes_twice(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
    published = [port.split(":")[1] for one in SERVICES.values() for port in one.get("ports", [])]
    assert len(set(published)) == len(published)


def test_published_ports_are_the_ones_listened_on() -> None:
    inside = {
        name: {int(port.rpartition(":")[2]) for port in SERVICES[name]["ports"]}
        for name in SERVICES
        if "ports" in SERVICES[name]
    }
    assert inside["kafka"] == {int(_listeners("KAFKA_LISTENERS")["EXTERNAL"].strip(":"))}
    assert inside["prometheus"] == {9090}
    assert inside["grafana"] == {3000}
    for name in WORKERS:
        assert inside[name] == {Settings().metrics_port}


def test_what_kafka_tells_its_clients_is_where_it_listens() -> None:
    listen, told = _listeners("KAFKA_LISTENERS"), _listeners("KAFKA_ADVERTISED_LISTENERS")
    ports = {name: address.rpartition(":")[2] for name, address in listen.items()}
    assert told["INTERNAL"] == f"kafka:{ports['INTERNAL']}"
    assert told["EXTERNAL"] == f"127.0.0.1:{ports['EXTERNAL']}"
    environment = SERVICES["kafka"]["environment"]
    assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"1@kafka:{ports['CONTROLLER']}"
    mapped = {
        part.partition(":")[0]
        for part in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    }
    assert mapped == listen.keys()


def test_one_broker_needs_one_copy() -> None:
    environment = SERVICES["kafka"]["environment"]
    copies = [
        value
        for name, value in environment.items()
        if name.endswith(("REPLICATION_FACTOR", "_ISR"))
    ]
    assert copies == [1] * 5


@each
def test_images_are_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image == "router" or re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", image)


@each
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (DEPLOY / source).is_dir(), source
            assert rest.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", ["kafka", "prometheus", "grafana"])
def test_services_that_others_wait_for_are_probed(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_prometheus_scrapes_the_workers_where_they_are() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_bytes())
    (job,) = config["scrape_configs"]
    (targets,) = job["static_configs"]
    port = Settings().metrics_port
    assert job["job_name"] == "router"
    assert targets["targets"] == [f"{name}:{port}" for name in WORKERS]
    command = SERVICES["prometheus"]["command"]
    mounted = SERVICES["prometheus"]["volumes"][0].split(":")[1]
    assert f"--config.file={mounted}/prometheus.yml" in command


def test_grafana_is_given_what_is_mounted() -> None:
    mounted = {
        target: DEPLOY / source
        for source, target, _ in (v.split(":") for v in SERVICES["grafana"]["volumes"])
    }
    provisioning = mounted["/etc/grafana/provisioning"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/router.yaml").read_bytes())[
        "providers"
    ]
    dashboards = provider["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (mounted[dashboards] / Path(home).relative_to(dashboards)).is_file()
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_bytes())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"


def test_the_readmes_commands_and_paths_are_right() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for path in re.findall(r"\]\(([^)#]+)", text):
        assert (DEPLOY / path).exists(), path
    for path in re.findall(r"`((?:deploy|schemas|runbooks|prometheus|grafana)/[\w./-]*)`", text):
        assert (DEPLOY / path).exists() or (DEPLOY.parent / path).exists(), path
    for variable in re.findall(r"`(ROUTER_[A-Z_]+)", text):
        assert variable.removeprefix(PREFIX).lower() in Settings.__dataclass_fields__, variable
    for words in re.findall(r"`router ([a-z]+)", text):
        assert router.get_command(click.Context(router), words) is not None
