"""The topic list: complete, in agreement with the settings, and large enough."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import yaml

from router.resources import SCHEMAS
from router.settings import Settings
from router.stream.admin import TopicState, differences
from router.stream.sizes import ENVELOPE_BYTES, input_bytes, output_bytes
from router.stream.topic_list import TopicSpec, wanted_topics

ROWS = yaml.safe_load((SCHEMAS / "topics.yaml").read_bytes())["topics"]
SPEC = TopicSpec(
    "t",
    "queue",
    4,
    None,
    {"cleanup.policy": "delete", "retention.ms": "1000", "max.message.bytes": "5000"},
)


@pytest.mark.parametrize("row", ROWS, ids=[row["role"] for row in ROWS])
def test_a_topic_of_the_list_has_the_name_its_setting_has_by_default(row: dict[str, str]) -> None:
    defaults = {"ROUTER_" + f.name.upper(): f.default for f in fields(Settings)}
    assert defaults[row["setting"]] == row["name"]


@pytest.mark.parametrize("row", ROWS, ids=[row["role"] for row in ROWS])
def test_a_schema_that_the_list_names_exists(row: dict[str, str]) -> None:
    named = [word.rstrip(",") for word in row["value"].split() if ".json" in word]
    assert all((SCHEMAS / name).is_file() for name in named)
    assert named or row["role"] in ("feedback", "replays")


def test_every_topic_that_the_router_reads_or_writes_is_wanted() -> None:
    settings = Settings(topic_prefix="eu.", topic_queue="desk.{queue}")
    queues = ("fraud", "cards")
    wanted = {spec.name for spec in wanted_topics(settings, queues)}
    topics = settings.topics()
    by_people = {topics.feedback, topics.replays}
    assert wanted == {*topics.inputs, *topics.outputs(queues), *by_people}
    assert "eu.desk.fraud" in wanted


def test_partitions_and_replication_of_the_caller_go_first() -> None:
    specs = wanted_topics(Settings(), ("fraud",), partitions=3, replication=2)
    assert {(spec.partitions, spec.replication) for spec in specs} == {(3, 2)}


@pytest.mark.parametrize("largest", [1_000, 1_000_000, 50_000_000])
def test_what_comes_in_fits_going_out_with_its_decision(largest: int) -> None:
    settings = Settings(max_event_bytes=largest)
    limits = {
        spec.role: int(spec.configs["max.message.bytes"])
        for spec in wanted_topics(settings, ("fraud",))
    }
    inputs = {limits.pop("chat"), limits.pop("email")}
    assert inputs == {input_bytes(largest)}
    assert set(limits.values()) == {output_bytes(largest)}
    assert min(limits.values()) >= max(inputs) + ENVELOPE_BYTES
    assert max(limits.values()) < 100 * 1024 * 1024, "a broker's socket.request.max.bytes"


def test_a_topic_as_wanted_differs_in_nothing() -> None:
    more = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "6000"}
    assert differences(SPEC, TopicState("t", 8, 3, more)) == ()
    assert differences(SPEC, TopicState("t", 4, 1, {})) == (), "a broker may tell nothing"


@pytest.mark.parametrize(
    ("setting", "value", "harmful"),
    [
        ("cleanup.policy", "compact", True),
        ("max.message.bytes", "4999", True),
        ("retention.ms", "999", False),
    ],
)
def test_a_setting_that_is_not_as_wanted_is_named(setting: str, value: str, harmful: bool) -> None:
    state = TopicState("t", 4, 1, dict(SPEC.configs) | {setting: value})
    (found,) = differences(SPEC, state)
    assert (found.setting, found.found, found.harmful) == (setting, value, harmful)


def test_too_few_partitions_are_told_as_harmless() -> None:
    (found,) = differences(SPEC, TopicState("t", 3, 1, SPEC.configs))
    assert (found.setting, found.found, found.wanted, found.harmful) == (
        "partitions",
        "3",
        "4",
        False,
    )


def test_an_input_with_a_smaller_limit_is_told_as_harmless() -> None:
    spec = replace(SPEC, role="chat")
    (found,) = differences(spec, TopicState("t", 4, 1, {"max.message.bytes": "4999"}))
    assert (found.setting, found.harmful) == ("max.message.bytes", False)
