"""The autoscaler asks for what Prometheus records, and for no more workers than can share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from router.ops.declarations import LAG_SECONDS

ROOT = Path(__file__).parents[2]
SCALED: dict[str, Any] = yaml.safe_load(
    (ROOT / "deploy/kubernetes/autoscaling.yaml").read_text(encoding="utf-8")
)
SPEC: dict[str, Any] = SCALED["spec"]
TRIGGERS: dict[str, dict[str, Any]] = {one["type"]: one for one in SPEC["triggers"]}
RULES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "deploy/prometheus/rules/alerts.yaml").read_bytes()
)["groups"][0]["rules"]


def test_it_is_one_scaled_object_with_a_time_and_a_processor_trigger() -> None:
    assert (SCALED["apiVersion"], SCALED["kind"]) == ("keda.sh/v1alpha1", "ScaledObject")
    assert TRIGGERS.keys() == {"prometheus", "cpu"}
    assert len(SPEC["triggers"]) == 2


def test_it_asks_for_a_rule_that_is_recorded_of_the_lag_in_seconds() -> None:
    recorded = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
    assert LAG_SECONDS.name in recorded[TRIGGERS["prometheus"]["metadata"]["query"]]


def test_there_are_no_more_workers_than_partitions_and_never_none() -> None:
    topics = yaml.safe_load((ROOT / "schemas/topics.yaml").read_bytes())["topics"]
    inputs = {one["partitions"] for one in topics if one["role"] in {"chat", "email"}}
    assert {SPEC["maxReplicaCount"]} == inputs
    assert 2 <= SPEC["minReplicaCount"] <= SPEC["maxReplicaCount"]


def test_it_acts_before_anybody_is_called() -> None:
    (lagging,) = [rule for rule in RULES if rule.get("alert") == "RouterLagging"]
    threshold = float(TRIGGERS["prometheus"]["metadata"]["threshold"])
    called_at = re.search(r"> (\d+)$", lagging["expr"])
    assert called_at is not None
    assert threshold < float(called_at[1])


def test_an_age_is_compared_as_it_is_and_no_answer_is_no_age_of_nothing() -> None:
    trigger = TRIGGERS["prometheus"]
    assert trigger["metricType"] == "Value"
    assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_workers_come_sooner_than_they_go() -> None:
    behavior = SPEC["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    up, down = behavior["scaleUp"], behavior["scaleDown"]
    assert up["stabilizationWindowSeconds"] < down["stabilizationWindowSeconds"]
    assert all(one["periodSeconds"] <= 1800 for one in up["policies"] + down["policies"])
