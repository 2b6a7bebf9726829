"""The capacity model's answers as tables, for deploy/capacity.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from router.resources import SCHEMAS
from tests.bench.capacity import Assumed, Plan, Work, limits, plan
from tests.bench.cases import Text
from tests.bench.marked import table
from tests.bench.readme_table import LENGTH

RATES = (100.0, 10_000.0, 1_000_000.0)


def plans_of(work: Work, assumed: Assumed | None = None) -> list[Plan]:
    """For each of the stated rates, at the input topics' default partitions."""
    return [plan(rate, work, assumed or Assumed(), input_partitions()) for rate in RATES]


def input_partitions() -> int:
    """Of one input topic, by default."""
    rows = yaml.safe_load((SCHEMAS / "topics.yaml").read_bytes())["topics"]
    return int(next(row["partitions"] for row in rows if row["role"] == "chat"))


def tables(
    works: Mapping[Text, Work],
    checks: Sequence[Mapping[str, Any]],
    document: Mapping[str, Any],
    text: Text,
) -> list[str]:
    """All of it in Markdown."""
    machine = document["machine"]
    instructions = ", ".join(machine["instructions"]) or "no vector instructions of note"
    return [
        f"Measured {document['date'][:10]} at commit {document['commit'][:12]} on "
        f"{machine['processor']} ({machine['cores']} cores, {instructions}).",
        "",
        *_by_length(works),
        "",
        f"For {LENGTH[text]}, at the assumptions above:",
        "",
        *_plans(plans_of(works[text])),
        "",
        f"What is full at which rate (one group, {Assumed().least_brokers} brokers, "
        f"{input_partitions()} partitions); the first gives way first:",
        "",
        *_limits(works[text]),
        "",
        "The model beside what it was not fitted to:",
        "",
        *_checks(checks),
    ]


def _by_length(works: Mapping[Text, Work]) -> list[str]:
    rows = [
        (
            LENGTH[text],
            f"{work.rate:,.0f}",
            f"{1e3 / work.rate:.2f}",
            f"{work.memory / 1e6:,.0f}",
            f"{work.into:,.0f}",
            f"{work.out:,.0f}",
        )
        for text, work in works.items()
    ]
    head = ("messages", "a second, one core", "ms each", "MB a worker", "bytes in", "bytes out")
    return table(head, rows)


def _plans(plans: Sequence[Plan]) -> list[str]:
    rows = [
        (
            f"{one.rate:,.0f}",
            f"{one.workers:,}",
            one.why,
            f"{one.partitions:,}",
            f"{one.memory / 1e9:,.1f}",
            f"{one.brokers:,}",
            f"{one.into_brokers / 1e6:,.1f} / {one.out_of_brokers / 1e6:,.1f}",
            f"{one.kept / 1e12:,.2f}",
            f"{one.batches:,.0f}",
            f"{one.groups:,}",
            ", ".join(one.full) or "nothing",
        )
        for one in plans
    ]
    head = (
        "messages a second",
        "workers = cores",
        "set by",
        "partitions",
        "memory, GB",
        "brokers",
        "into / out of them, MB/s",
        "kept, TB",
        "produced batches a second",
        "groups",
        "full by then",
    )
    return table(head, rows)


def _limits(work: Work) -> list[str]:
    found = limits(work, Assumed(), input_partitions())
    return table(
        ("what", "messages a second"), [(name, f"{at:,.0f}") for name, at in found.items()]
    )


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        (
            one["name"],
            f"{one['predicted']:,.0f}",
            f"{one['measured']:,.0f}",
            f"{one['error']:+.0%}",
        )
        for one in checks
    ]
    return table(("what", "predicted", "measured", "error"), rows)
