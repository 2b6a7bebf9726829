"""``asyncapi.yaml``: well formed, and in step with the topics and the schemas.

The official JSON Schema of AsyncAPI 3.0 comes from npm (``@asyncapi/specs``) and is cached; where
it cannot be had that one test is skipped, and the structural ones still stand.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from router.core.topics import Topics
from router.resources import SCHEMAS
from tests.contract.contracts import NAMES

SPECS = "6.11.1"
SPECS_SHA256 = "01af8744dc33c0c7eb2e908f6a955319ee58b70ecadc9387d1aeb16c0cd28928"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def official() -> jsonschema_rs.Validator:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "router-tests"
    stored = cache / f"asyncapi-specs-{SPECS}.json"
    if not stored.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("the official AsyncAPI schema is not cached and there is no npm")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _fetch(npm, Path(scratch)).rename(stored)
    return jsonschema_rs.validator_for(json.loads(stored.read_text("utf-8")))


def _fetch(npm: str, scratch: Path) -> Path:
    command = [npm, "pack", "--silent", f"@asyncapi/specs@{SPECS}"]
    try:
        subprocess.run(command, cwd=scratch, capture_output=True, timeout=60, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        pytest.skip("the official AsyncAPI schema cannot be fetched from npm")
    package = scratch / f"asyncapi-specs-{SPECS}.tgz"
    assert hashlib.sha256(package.read_bytes()).hexdigest() == SPECS_SHA256
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        (scratch / "schema.json").write_bytes(member.read())
    return scratch / "schema.json"


def test_the_document_passes_the_official_schema(
    document: dict[str, Any], official: jsonschema_rs.Validator
) -> None:
    assert [f"{e.instance_path}: {e.message}" for e in official.iter_errors(document)] == []
    broken = copy.deepcopy(document)
    broken["operations"]["receiveChat"]["action"] = "subscribe"
    assert not official.is_valid(broken)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def _resolve(reference: str, document: dict[str, Any]) -> Any:
    file, _, pointer = reference.partition("#")
    node: Any = document
    if file:
        node = json.loads((SCHEMAS / file).read_text("utf-8"))
    for step in pointer.split("/")[1:]:
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    references = list(_references(document))
    assert references
    for reference in references:
        assert isinstance(_resolve(reference, document), dict), reference


def test_every_contract_is_pointed_to(document: dict[str, Any]) -> None:
    files = {reference.partition("#")[0].removeprefix("./") for reference in _references(document)}
    assert files - {""} == {f"{name}.v1.json" for name in NAMES}


def test_the_channels_are_the_topics(document: dict[str, Any]) -> None:
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert sorted(addresses) == sorted(astuple(Topics()))


def test_the_channels_are_those_that_are_created(document: dict[str, Any]) -> None:
    created = yaml.safe_load((SCHEMAS / "topics.yaml").read_text("utf-8"))["topics"]
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert sorted(addresses) == sorted(topic["name"] for topic in created)


def test_the_router_receives_its_inputs_and_sends_the_rest(document: dict[str, Any]) -> None:
    does: dict[str, set[str]] = {"receive": set(), "send": set()}
    for operation in document["operations"].values():
        channel = _resolve(operation["channel"]["$ref"], document)
        does[operation["action"]].add(channel["address"])
    topics = Topics()
    assert does["receive"] == set(topics.inputs)
    assert does["send"] == set(astuple(topics)) - {*topics.inputs, topics.feedback}


def test_every_message_is_described_with_its_key(document: dict[str, Any]) -> None:
    for message in document["components"]["messages"].values():
        assert message["title"]
        assert message["headers"]
        assert message["bindings"]["kafka"]["key"]["description"].endswith(".")
