"""Alerts and dashboard name only what a worker exposes, and say what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from router.ops.declarations import DECLARED
from router.ops.metrics import METRIC_NAMES, Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/rules/alerts.yaml").read_bytes())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/router.json").read_bytes())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

FROM_THE_SCRAPE = {"job", "instance"}
LABELS = {name: set(metric.labels) for metric in DECLARED for name in metric.series}
_AGGREGATION = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_MATCHERS = re.compile(r"\{([^}]*)\}")
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_NAME = re.compile(r"[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_WORDS = {"and", "or", "unless", "offset", "bool", "by", "without", "on", "le"}


def _expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


EXPRESSIONS = list(_expressions())


def _names(query: str) -> set[str]:
    """The metrics that a query reads."""
    bare = re.sub(r'"[^"]*"', '""', query)
    bare = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", " ", bare)
    bare = _AGGREGATION.sub(" ", _MATCHERS.sub(" ", bare))
    return {name for name in _NAME.findall(bare) if name not in _WORDS and not name[0].isdigit()}


def _labels(query: str) -> set[str]:
    """The labels that a query selects or groups by."""
    bare = re.sub(r'"[^"]*"', '""', query)
    selected = {label for inside in _MATCHERS.findall(bare) for label in _LABEL.findall(inside)}
    grouped = {
        label.strip() for inside in _AGGREGATION.findall(bare) for label in inside.split(",")
    }
    return (selected | grouped) - {""}


def test_names_and_labels_are_read_out_of_a_query() -> None:
    query = (
        'histogram_quantile(0.9, sum by (le, queue) (rate(a_bucket{x="b c",y=~"d"}[5m])))'
        " / on () (r:s:t offset 15m or vector(0)) > 0"
    )
    assert _names(query) == {"a_bucket", "r:s:t"}
    assert _labels(query) == {"le", "queue", "x", "y"}


@pytest.mark.parametrize(("where", "query"), EXPRESSIONS, ids=[w for w, _ in EXPRESSIONS])
def test_every_metric_and_label_of_a_query_is_exposed(where: str, query: str) -> None:
    names = _names(query)
    assert names
    assert names <= METRIC_NAMES | RECORDED | {"up"}
    allowed = set(FROM_THE_SCRAPE)
    for name in names:
        allowed |= LABELS.get(name, set()) | ({"le"} if name.endswith("_bucket") else set())
    assert _labels(query) <= allowed


def test_the_metrics_named_are_in_what_a_worker_answers() -> None:
    text = generate_latest(Metrics().registry).decode()
    exposed = {family.name for family in text_string_to_metric_families(text)}
    used = set().union(*(_names(query) for _, query in EXPRESSIONS)) - RECORDED - {"up"}
    assert used
    for name in used:
        assert {name, re.sub(r"_(total|bucket|sum|count)$", "", name)} & exposed, name


def test_the_dashboard_shows_every_metric_that_is_declared() -> None:
    shown = set().union(*(_names(target["expr"]) for p in PANELS for target in p["targets"]))
    recorded = {rule["record"]: _names(rule["expr"]) for rule in RULES if "record" in rule}
    for name in shown & RECORDED:
        shown |= recorded[name]
    assert [metric.name for metric in DECLARED if not shown & set(metric.series)] == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_panel_has_a_unit_and_a_description(panel: dict[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert len(panel["description"]) > 20


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not cells & mine, panel["title"]
        cells |= mine


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    path = DEPLOY / "grafana/provisioning/datasources/prometheus.yaml"
    (source,) = yaml.safe_load(path.read_bytes())["datasources"]
    asked = {panel["datasource"]["uid"] for panel in PANELS}
    asked |= {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    asked |= {variable["datasource"]["uid"] for variable in DASHBOARD["templating"]["list"]}
    assert asked == {source["uid"]}


def test_the_dashboards_variables_are_all_used_and_all_declared() -> None:
    queries = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    used = set(re.findall(r"\$(\w+)", queries)) - {"__rate_interval"}
    variables = DASHBOARD["templating"]["list"]
    assert {variable["name"] for variable in variables} == used
    for variable in variables:
        found = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
        assert found is not None
        assert found[2] in LABELS[found[1]]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_what_it_is_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    notes = alert["annotations"]
    assert notes["summary"]
    assert len(notes["description"]) > 40
    path, _, anchor = notes["runbook_url"].partition("#")
    page = (DEPLOY.parent / path).read_text(encoding="utf-8")
    assert anchor in {_slug(line) for line in page.splitlines() if line.startswith("#")}
    assert f"`{alert['alert']}`, {alert['labels']['severity']}:" in page


def test_the_labels_that_a_summary_shows_are_kept_by_its_query() -> None:
    for alert in ALERTS:
        words = " ".join(alert["annotations"].values())
        for label in re.findall(r"\$labels\.(\w+)", words):
            grouped = _AGGREGATION.search(alert["expr"])
            assert grouped is None or label in grouped[1], (alert["alert"], label)


def test_every_alert_has_its_tests_and_its_line_in_the_overview() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus/rules/alerts.test.yaml").read_bytes())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    overview = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for alert in ALERTS:
        name = alert["alert"]
        fires = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == name}
        assert fires == {True, False}, name
        assert re.search(
            rf"\| \[{name}\]\(runbooks/[\w-]+\.md\) \| {alert['labels']['severity']} \|", overview
        )


def test_every_runbook_has_its_alert_and_its_four_parts() -> None:
    linked = {alert["annotations"]["runbook_url"].partition("#")[0] for alert in ALERTS}
    pages = sorted((DEPLOY / "runbooks").glob("*.md"))
    assert {f"deploy/runbooks/{page.name}" for page in pages} == linked
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["First look", "What to do", "It is over when"], page.name


def test_runbooks_name_panels_metrics_and_pages_that_exist() -> None:
    titles = {panel["title"] for panel in DASHBOARD["panels"]}
    for page in (DEPLOY / "runbooks").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for named in re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", text):
            assert named in titles, (page.name, named)
        for metric in re.findall(r"`(router_\w+)`", text):
            assert metric in METRIC_NAMES, (page.name, metric)
        for other in re.findall(r"`([\w-]+\.md)`", text):
            assert (page.parent / other).is_file(), (page.name, other)


def _slug(heading: str) -> str:
    words = heading.lstrip("#").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
