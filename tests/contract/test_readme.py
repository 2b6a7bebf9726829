"""``schemas/README.md`` leaves nothing out that its readers would miss."""

from __future__ import annotations

import re
from pathlib import PurePath

import pytest

from router.resources import SCHEMAS
from tests.contract.contracts import EVENTS, schema

README = (SCHEMAS / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
SAID = set(re.findall(r"`([^`]+)`", PROSE))


@pytest.mark.parametrize("name", EVENTS)
def test_every_field_of_an_event_is_said(name: str) -> None:
    assert schema(name)["properties"].keys() <= SAID


def test_every_field_of_a_decision_is_said() -> None:
    assert schema("routing-decision")["properties"].keys() <= SAID


def test_every_reason_of_a_dead_letter_is_said() -> None:
    assert set(schema("dead-letter-headers")["properties"]["router-reason"]["enum"]) <= SAID


def test_every_list_that_may_grow_is_said() -> None:
    for name in ("routing-decision", "dead-letter-headers"):
        properties = schema(name)["properties"]
        assert {key for key, inner in properties.items() if "x-open" in inner} <= SAID


def test_every_file_beside_it_that_it_names_is_there() -> None:
    table = PROSE.partition("## Emit")[0]
    files = re.findall(r"`([a-z0-9./-]+)`", table)
    named = [file for file in files if "/" in file or PurePath(file).suffix in {".json", ".yaml"}]
    assert len(named) >= 7
    for file in named:
        assert (SCHEMAS / file).exists(), file
