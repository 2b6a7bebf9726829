"""The reliability diagram and the risk–coverage curve."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from router.model.report.svg import Frame, Picture, percent

_SIDE = 320


def reliability(report: Mapping[str, Any]) -> Picture:
    """Accuracy against confidence in bins of equal mass: on the left all, on the right the upper
    corner, where most of a good model's bins lie."""
    bins = report["reliability"]
    picture = Picture(
        "reliability",
        "Reliability diagram",
        f"Accuracy against confidence in {len(bins)} bins of equal mass; a calibrated model's lie "
        f"on the diagonal. Expected calibration error {percent(report['ece'])}.",
        2 * _SIDE + 190,
        _SIDE + 90,
    )
    corner = min((min(one["confidence"], one["accuracy"]) for one in bins[len(bins) // 2 :]),
                 default=0.0)  # fmt: skip
    for number, low in enumerate((0.0, max(0.0, min(0.9, math.floor(corner * 10) / 10)))):
        frame = Frame(picture, 70 + number * (_SIDE + 100), 36, _SIDE, _SIDE, (low, 1), (low, 1))
        steps = [low + (1 - low) * step / 5 for step in range(6)]
        frame.axes("confidence", "accuracy", steps, steps)
        above = "all" if low == 0 else f"from {percent(low)}"
        picture.text(frame.left + _SIDE / 2, 22, above, "middle quiet")
        picture.line(frame.x(low), frame.y(low), frame.x(1), frame.y(1), "ideal")
        inside = [one for one in bins if min(one["confidence"], one["accuracy"]) >= low]
        for one in inside:
            x = frame.x(one["confidence"])
            ends = [frame.y(max(low, end)) for end in one["interval"]]
            picture.line(x, ends[0], x, ends[1], "bar")
            says = f"confidence {one['confidence']:.4f}, accuracy {one['accuracy']:.4f}"
            picture.dot(x, frame.y(one["accuracy"]), "dot", f"{says}, {one['n']} texts")
    return picture


def risk_coverage(report: Mapping[str, Any]) -> Picture:
    """The error of what is answered against the share answered, by intent and by queue."""
    curves = {"by intent": report["risk_curve"], "by queue": report["queue_risk_curve"]}
    shares = ("coverage_at_risk", "queue_coverage_at_risk")
    answers = [f"{percent(report[name]['0.02'])} {level}" for name, level in
               zip(shares, curves, strict=True)]  # fmt: skip
    picture = Picture(
        "risk-coverage",
        "Risk and coverage",
        "The error of the texts answered against the share answered, the surest first. With an "
        f"error of 2 % at most: {', '.join(answers)}.",
        760,
        430,
    )
    # The first few texts may all be wrong: what matters is the error of a tenth and more.
    worst = max(p["error"] for curve in curves.values() for p in curve if p["share"] >= 0.1)
    top = next(limit for limit in (0.06, 0.12, 0.2, 0.4, 1.0) if limit >= min(1.0, worst))
    frame = Frame(picture, 76, 36, 640, 336, (0, 1), (0, top))
    frame.axes("share answered", "error of these", [s / 10 for s in range(0, 11, 2)],
               [top * step / 4 for step in range(5)])  # fmt: skip
    for risk in report["coverage_at_risk"]:
        if float(risk) <= top:
            picture.line(
                frame.x(0), frame.y(float(risk)), frame.x(1), frame.y(float(risk)), "ideal"
            )
            picture.text(frame.x(1) + 9, frame.y(float(risk)) + 4, percent(float(risk)), "small")
    for (level, curve), kind, dot, name in zip(
        curves.items(), ("one", "two"), ("dot", "dot-two"), shares, strict=True
    ):
        points = [(frame.x(p["share"]), frame.y(min(top, p["error"]))) for p in curve]
        picture.path(points, kind)
        for risk, share in report[name].items():
            if share and float(risk) <= top:
                says = f"{level}: {percent(share)} with an error of at most {percent(float(risk))}"
                picture.dot(frame.x(share), frame.y(float(risk)), dot, says)
    for number, (level, kind) in enumerate(zip(curves, ("one", "two"), strict=True)):
        y = 54 + 20 * number
        picture.line(92, y, 122, y, kind)
        picture.text(130, y + 4, level)
    return picture
