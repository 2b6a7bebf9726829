"""What is taken for what: a square for each pair, a row for each truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from router.model.report.svg import Picture, percent

_FEW = 24
"""Up to so many names there is room for numbers."""

_LETTER = 6.6
"""About a letter's width, in the font of `Picture.text`."""


def queue_confusion(report: Mapping[str, Any]) -> Picture:
    return _confusion(
        "confusion-queues", "queues", list(report["per_queue"]), report["per_queue"],
        report["queue_confusions"],
    )  # fmt: skip


def intent_confusion(report: Mapping[str, Any]) -> Picture:
    """Those intents alone that are taken for another or that another is taken for, by queue."""
    wrong = report["confusions"]
    mixed = {pair[side] for pair in wrong for side in ("truth", "given")}
    rows = report["per_intent"]
    names = sorted(mixed, key=lambda name: (rows[name]["queue"], name))
    return _confusion("confusion-intents", "intents", names, rows, wrong)


def _confusion(
    name: str,
    what: str,
    names: Sequence[str],
    rows: Mapping[str, Mapping[str, Any]],
    wrong: Sequence[Mapping[str, Any]],
) -> Picture:
    count = {(pair["truth"], pair["given"]): int(pair["n"]) for pair in wrong}
    for one in names:
        count[one, one] = round((rows[one]["recall"] or 0) * rows[one]["n"])
    few = len(names) <= _FEW
    side = 38 if few else 13
    letter = _LETTER if few else _LETTER * 0.85
    room = 34 + letter * max((len(one) for one in names), default=10)
    total = sum(pair["n"] for pair in wrong)
    worst = ", ".join(f"{p['truth']} for {p['given']} ({p['n']})" for p in wrong[:3])
    picture = Picture(
        name,
        f"Confusions of {what}",
        f"Rows are the right {what}, columns the model's. Off the diagonal: {total} of the texts"
        + (f", most of {worst}." if worst else "."),
        room + 30 + side * max(1, len(names)),
        room + 30 + side * max(1, len(names)),
    )
    picture.text(room + 26 + side * len(names) / 2, 16, "the model says", "middle quiet")
    picture.text(16, room + 26 + side * len(names) / 2, "right is", "middle quiet", turned=True)
    font = "" if few else "small"
    for number, one in enumerate(names):
        middle = room + 26 + side * (number + 0.5) + 4
        picture.text(room + 18, middle, one, f"end {font}")
        picture.text(middle, room + 18, one, font, turned=True)
    for row, truth in enumerate(names):
        for column, given in enumerate(names):
            n = count.get((truth, given), 0)
            place = (room + 26 + side * column, room + 26 + side * row)
            share = n / rows[truth]["n"] if rows[truth]["n"] else 0.0
            kind = "right" if truth == given else "wrong"
            # A single mistake must be seen: strength begins at a sixth.
            strength = 0.0 if n == 0 else 0.16 + 0.84 * share
            if n or few:
                says = f"{truth}, said to be {given}: {n} of {rows[truth]['n']}, {percent(share)}"
                picture.box(*place, side - 1, kind, strength=strength, says=says)
            if n and few:
                ink = "inverse" if strength > 0.55 else ""
                centre = (place[0] + side / 2, place[1] + side / 2 + 4)
                picture.text(*centre, str(n), f"middle small {ink}")
    picture.path(
        [
            (room + 25, room + 25 + side * len(names)),
            (room + 25, room + 25),
            (room + 25 + side * len(names), room + 25),
        ],
        "frame",
    )
    return picture
