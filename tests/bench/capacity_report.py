"""``python -m tests.bench.capacity_report``: the capacity model, filled from a measured document.

Prints what a core does by length of text, what 100, 10,000 and 1,000,000 messages a second need,
what gives way first, and how far the model is from what was measured with it. With ``--page`` the
tables of deploy/capacity.md are written anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import orjson

from router.settings import Settings
from tests.bench.capacity import Assumed, Work, error, mixed
from tests.bench.capacity_tables import plans_of, tables
from tests.bench.cases import Case, Load, Text, middle
from tests.bench.document import cells_in, median
from tests.bench.machine import facts
from tests.bench.marked import ROOT, rewrite
from tests.bench.ratios import Cells
from tests.bench.readme_table import LENGTH
from tests.bench.record_sizes import Sizes, sizes_of
from tests.bench.texts import LENGTHS, MIX
from tests.bench.tokenizer import live_tokens

SCHEMA = "router-capacity/v1"
PAGE = ROOT / "deploy" / "capacity.md"


def main() -> int:
    arguments = _arguments()
    document = orjson.loads(arguments.document.read_bytes())
    tokens_of = live_tokens(Settings())
    works = works_in(cells_in(document), lambda text: sizes_of(text, tokens_of))
    if arguments.text not in works:
        raise SystemExit(
            f"No run of the live bundle on {LENGTH[arguments.text]}: --text or make bench"
        )
    checks = checked(cells_in(document))
    lines = tables(works, checks, document, arguments.text)
    sys.stdout.write("\n".join(lines) + "\n")
    if arguments.page:
        page = rewrite(PAGE.read_text(encoding="utf-8"), "capacity", lines)
        PAGE.write_text(page, encoding="utf-8")
    plans = [asdict(one) for one in plans_of(works[arguments.text])]
    written = {
        "schema": SCHEMA,
        "measured": {name: document[name] for name in ("date", "commit", "machine")},
        "made": facts()["commit"],
        "assumed": asdict(Assumed()),
        "works": {text: asdict(work) for text, work in works.items()},
        "plans": plans,
        "checks": checks,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    return 0


def works_in(cells: Cells, sizes_in: Callable[[Text], Sizes]) -> dict[Text, Work]:
    """By length of text, what one worker with the live bundle did, and how large a message is."""
    found: dict[Text, Work] = {}
    for text in get_args(Text):
        case = replace(middle("live"), text=text)
        rate, memory = (median(cells, case, name) for name in ("rate", "rss"))
        if rate is None or memory is None:
            continue
        sizes = sizes_in(text)
        found[text] = Work(rate, memory, sizes.into, sizes.out, sizes.records)
    return found


def checked(cells: Cells) -> list[dict[str, Any]]:
    """The model beside what it was not fitted to: two workers by one, the mix by its kinds."""
    found = []
    for load in get_args(Load):
        alone, both = (replace(middle(load), workers=workers) for workers in (1, 2))
        one, two = (_rate(cells, case) for case in (alone, both))
        if one and two:
            words = f"{load}, messages a second of two workers, from one"
            found.append(_check(words, 2 * one, two))
        spent, shared = (median(cells, case, "cpu") for case in (alone, both))
        if spent and shared:  # seconds a thousand messages are milliseconds each
            words = f"{load}, processor µs a message of two workers, from one"
            found.append(_check(words, spent * 1e3, shared * 1e3))
    rates = {text: _rate(cells, replace(middle("live"), text=text)) for text in LENGTHS}
    known = {text: rate for text, rate in rates.items() if rate}
    mix = _rate(cells, replace(middle("live"), text="mix"))
    if mix and known.keys() == MIX.keys():
        shares = {str(text): share for text, share in MIX.items()}
        found.append(
            _check(
                "live, messages a second of the mix, from its kinds",
                mixed(_named(known), shares),
                mix,
            )
        )
    return found


def _check(name: str, predicted: float, measured: float) -> dict[str, Any]:
    wrong = error(predicted, measured)
    return {"name": name, "predicted": predicted, "measured": measured, "error": wrong}


def _rate(cells: Cells, case: Case) -> float | None:
    return median(cells, case, "rate")


def _named(rates: Mapping[Text, float]) -> dict[str, float]:
    return {str(text): rate for text, rate in rates.items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("document", type=Path, nargs="?", default=Path("build/bench.json"))
    parser.add_argument("--text", choices=get_args(Text), default="mix", help="of the plans")
    parser.add_argument("--page", action="store_true", help="write deploy/capacity.md's tables")
    parser.add_argument("--out", type=Path, default=Path("build/capacity.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
