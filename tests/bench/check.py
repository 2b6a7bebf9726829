"""``python -m tests.bench.check WAS NOW``: whether ratios got worse than they were.

Both are documents that the suite wrote. Ratios alone are compared, never seconds: another machine
is as good. A loss counts where it is larger than the noise, which is how far the rounds of either
document differ among themselves. Exit code 1: something was lost, or is not measured any more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from tests.bench.verdict import compare_all, ratios_in


def main() -> int:
    arguments = _arguments()
    was, now = (orjson.loads(path.read_bytes()) for path in (arguments.was, arguments.now))
    verdicts, gone, new = compare_all(ratios_in(was), ratios_in(now))
    out = sys.stdout.write
    for one in sorted(verdicts, key=lambda one: one.noise - one.loss):
        word = "LOST" if one.lost else "holds"
        out(
            f"{word:<5} {one.name}: {one.was:.2f} → {one.now:.2f} "
            f"(loss {one.loss:+.0%}, noise {one.noise:.0%})\n"
        )
    for name in gone:
        out(f"GONE  {name}: not measured now\n")
    for name in new:
        out(f"new   {name}\n")
    return 1 if gone or not verdicts or any(one.lost for one in verdicts) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("was", type=Path)
    parser.add_argument("now", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
