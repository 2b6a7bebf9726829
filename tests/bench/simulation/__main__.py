"""``python -m tests.bench.simulation``: bursts, outages and days that no test machine can hold.

A worker's costs come from a measured document; the simulation is first set beside that document's
own runs, one worker, two and latency, and then plays each scenario with a fixed number of workers
and with the autoscaler of deploy/kubernetes/autoscaling.yaml. With ``--page`` the table of
deploy/capacity.md is written anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tests.bench.capacity_report import PAGE
from tests.bench.document import cells_in, waits_in
from tests.bench.machine import facts
from tests.bench.marked import rewrite, table
from tests.bench.simulation.fitting import Check, checks, costs_of
from tests.bench.simulation.scenarios import Told, play, scenarios
from tests.bench.simulation.world import Costs

SCHEMA = "router-simulation/v1"
MARK = "simulation"


def main() -> int:
    arguments = _arguments()
    document = orjson.loads(arguments.document.read_bytes())
    cells, waits = cells_in(document), waits_in(document)
    costs = costs_of(cells, waits)
    checked = list(checks(cells, waits, costs))
    told = []
    for scenario in scenarios():
        told.append(play(scenario, costs, scale=arguments.scale, seed=arguments.seed))
        _say(over_time(told[-1]))
    lines = page_lines(head(document, costs), checked, told)
    _say("\n" + "\n".join(lines))
    if arguments.page:
        page = rewrite(PAGE.read_text(encoding="utf-8"), MARK, lines)
        PAGE.write_text(page, encoding="utf-8")
    written = {
        "schema": SCHEMA,
        "measured": {name: document[name] for name in ("date", "commit", "machine")},
        "made": facts()["commit"],
        "seed": arguments.seed,
        "scale": arguments.scale,
        "costs": asdict(costs),
        "checks": [asdict(one) | {"error": one.error} for one in checked],
        "scenarios": [asdict(one) | {"waits": one.waits._asdict()} for one in told],
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    return 0


def head(document: Mapping[str, Any], costs: Costs) -> str:
    """What was measured when, and what of it the simulation is made."""
    return (
        f"Measured {document['date'][:10]} at commit {document['commit'][:12]}: a batch costs "
        f"{costs.fixed * 1e3:.1f} ms and each message of it {costs.each * 1e3:.2f} ms; "
        f"{costs.after * 1e3:.0f} ms more until it can be read."
    )


def over_time(told: Told) -> str:
    """How many workers there were from when on."""
    steps = ", ".join(f"{number} from {at:.0f} s" for at, number in told.workers)
    return f"{told.name}, workers set by {told.policy}: {steps}"


def page_lines(first: str, checked: Sequence[Check], told: Sequence[Told]) -> list[str]:
    """In Markdown."""
    return [
        first,
        "",
        *_checks(checked),
        "",
        *_scenarios(told),
    ]


def _checks(checked: Sequence[Check]) -> list[str]:
    rows = [
        (one.name, f"{one.predicted:,.3g}", f"{one.measured:,.3g}", f"{one.error:+.0%}")
        for one in checked
    ]
    return table(("what", "simulated", "measured", "error"), rows)


def _scenarios(told: Sequence[Told]) -> list[str]:
    head = (
        "scenario",
        "workers set by",
        "p50, s",
        "p99, s",
        "longest, s",
        "workers",
        "changes",
        "core hours",
        "busiest partition",
    )
    rows = [
        (
            one.name,
            one.policy,
            f"{one.waits.p50:,.2f}",
            f"{one.waits.p99:,.1f}",
            f"{one.longest:,.0f}",
            f"{one.least} to {one.most}",
            f"{one.changes}",
            f"{one.cores:.1f}",
            f"{one.skew:.2f} ×",
        )
        for one in told
    ]
    return table(head, rows)


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("document", type=Path, nargs="?", default=Path("build/bench.json"))
    parser.add_argument("--scale", type=float, default=1.0, help="of each scenario's length")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="write deploy/capacity.md's table")
    parser.add_argument("--out", type=Path, default=Path("build/simulation.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
