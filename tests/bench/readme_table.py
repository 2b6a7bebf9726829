"""``python -m tests.bench.readme_table``: the top README's table of speed, from the kept document.

It is written between two marks, so that nobody edits it by hand, and a test holds that it is what
this makes of ``measured.json``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from tests.bench.cases import ROUTER, Case, Delivery, Load, Text, middle
from tests.bench.document import cells_in, median, waits_in
from tests.bench.figures import Ratio
from tests.bench.marked import ROOT, rewrite, table
from tests.bench.ratios import Cells, Waits
from tests.bench.verdict import ratios_in
from tests.bench.waits import QUIET

KEPT = ROOT / "tests" / "bench" / "measured.json"
README = ROOT / "README.md"
MARK = "speed"

Row = tuple[str, str, str, str, str]
_HEAD = ("what", "router", "beside", "ratio", "promised")
_WORDS: Mapping[Load, str] = {
    "copy": "copy alone",
    "null": "all but the model",
    "live": "with the live model",
}
_CLEARER = {"router: null / copy": "all but the model, messages a second / copy alone"}
LENGTH: Mapping[Text, str] = {
    "chat": "chat of 16 tokens",
    "long": "long chat of 64 tokens",
    "email": "emails of 200 tokens",
    "mix": "the mix",
}
_ONCE: Mapping[Delivery, str] = {
    "at-least-once": "at least once",
    "exactly-once": "exactly once",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("document", type=Path, nargs="?", default=KEPT)
    arguments = parser.parse_args()
    lines = readme_lines(orjson.loads(arguments.document.read_bytes()))
    page = README.read_text(encoding="utf-8")
    README.write_text(rewrite(page, MARK, lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def readme_lines(document: Mapping[str, Any]) -> list[str]:
    """Where, when and how it was measured, then the table."""
    machine, versions = document["machine"], document["versions"]
    instructions = ", ".join(machine["instructions"]) or "no vector instructions of note"
    changed = ", with changes" if document["changed"] else ""
    cells, waits = cells_in(document), waits_in(document)
    ratios = {ratio.name: ratio for ratio in ratios_in(document)}
    rows = [
        *_throughput(cells, ratios),
        *_latency(waits),
        *_other(ratios),
        *_start(cells),
    ]
    return [
        f"`make bench` on {machine['processor']} ({machine['cores']} cores, {instructions}), "
        f"Apache Kafka {versions['kafka']} beside it, {document['date'][:10]}, commit "
        f"`{document['commit'][:12]}`{changed}. One worker, chat of 16 tokens, 4 partitions; "
        f"{_rounds(document['settings']['rounds'])}",
        "",
        *table(_HEAD, rows),
    ]


def _rounds(count: int) -> str:
    if count == 1:
        return "one round: a repeat may differ by a tenth or two either way."
    return "a ratio is of one round, the median over rounds, ± half of their spread."


def _throughput(cells: Cells, ratios: Mapping[str, Ratio]) -> Iterator[Row]:
    """Each load under each guarantee beside every program, and all else that has a promise."""
    for case in dict.fromkeys(case for case, _ in cells):
        ours = median(cells, case, "rate")
        if ours is None:
            continue
        plain = replace(middle(case.load), delivery=case.delivery) == case
        others = [program for at, program in cells if at == case and program != ROUTER]
        for program in others:
            ratio = ratios.get(f"{case.name}: router / {program}")
            theirs = median(cells, case, "rate", program)
            if plain or (ratio and ratio.bound is not None):
                beside = f"{program} {theirs:,.0f}"
                yield (_words(case), f"{ours:,.0f}", beside, _value(ratio), _promise(ratio))
        if plain and not others:
            yield (_words(case), f"{ours:,.0f}", "", "", "")


def _words(case: Case) -> str:
    usual = middle(case.load)
    more = [LENGTH[case.text]] if case.text != usual.text else []
    if case.partitions != usual.partitions:
        more.append(f"{case.partitions} partitions" if case.partitions > 1 else "1 partition")
    once = _ONCE[case.delivery]
    return ", ".join([_WORDS[case.load], once, *more, "messages a second"])


def _latency(waits: Waits) -> Iterator[Row]:
    for wait, found in waits.items():
        if wait.program != ROUTER:
            continue
        p50, p99 = (
            statistics.median(getattr(one, name) for one in found) * 1e3 for name in ("p50", "p99")
        )
        at = f"{wait.share:.0%} of capacity" if wait.share else f"{QUIET:g} a second"
        if wait.load == "copy" and wait.share:
            at = "the same rate"
        words = f"{_WORDS[wait.load]}, latency at {at}, p50 and p99"
        yield (words, f"{p50:.1f} and {p99:.1f} ms", "", "", "")


def _other(ratios: Mapping[str, Ratio]) -> Iterator[Row]:
    """What is no program beside another: latency's promises, two workers, null beside copy."""
    for name, ratio in ratios.items():
        if ": router / " not in name:
            words, _, beside = _CLEARER.get(name, name).partition(" / ")
            yield (words, "", beside, _value(ratio), _promise(ratio))


def _start(cells: Cells) -> Iterator[Row]:
    first = median(cells, middle("live"), "first")
    if first:
        yield ("from start to the first decision", f"{first:.1f} s", "", "", "")


def _value(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    if len(ratio.each) == 1:
        return f"{ratio.value:.2f}"
    return f"{ratio.value:.2f} ± {ratio.noise * ratio.value / 2:.2f}"


def _promise(ratio: Ratio | None) -> str:
    if ratio is None or ratio.bound is None:
        return ""
    sign = "≥" if ratio.better == "higher" else "≤"
    return f"{sign} {ratio.bound:g}, {'kept' if ratio.kept else 'missed'}"


if __name__ == "__main__":
    sys.exit(main())
