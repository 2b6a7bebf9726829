"""What a run came to: the equation, the numbers, and where to look next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from router.demo.ledger import KINDS, Kind, Latency, Ledger

WORDS: dict[Kind, str] = {
    "routed": "routed",
    "review": "review",
    "dead_letter": "dead-lettered",
    "ignored": "ignored",
}
_NAMED = 10
_NEXT = (
    'router route "my card has not arrived yet"   why one message goes where it goes',
    "deploy/policy.yaml                  queues, rules, thresholds: change them, run again",
    "router demo --broker HOST:PORT      the same on a broker of yours",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One finished run. ``consumed`` is what the worker's metrics say, or None where others'
    records are on the same topics; then what was emitted stands in the equation."""

    emitted: int
    consumed: int | None
    kinds: dict[Kind, int]
    reasons: Sequence[tuple[str, str, int]]
    confidences: dict[str, float]
    latency: Latency | None
    repeats: int
    missing: Sequence[str]
    problems: Sequence[str]
    worker_exit: int
    seconds: float
    seed: int
    broker: str
    topic_prefix: str
    worker_log: str

    @property
    def ok(self) -> bool:
        """Every record has exactly one outcome, all agree, and the worker left in order."""
        total = sum(self.kinds.values())
        balanced = total == self.emitted and self.consumed in (None, total + self.repeats)
        return balanced and not self.missing and not self.problems and self.worker_exit == 0

    @property
    def equation(self) -> str:
        left = f"emitted {self.emitted}" if self.consumed is None else f"consumed {self.consumed}"
        right = [f"{WORDS[kind]} {self.kinds[kind]}" for kind in KINDS]
        if self.repeats:
            right.append(f"repeated {self.repeats}")
        known = self.emitted if self.consumed is None else self.consumed
        sign = "=" if known == sum(self.kinds.values()) + self.repeats else "≠"
        return f"{left} {sign} {' + '.join(right)}"

    def faults(self) -> list[str]:
        """Why `ok` is false, in words."""
        found = list(self.problems)
        if self.missing:
            more = "" if len(self.missing) <= _NAMED else ", …"
            named = ", ".join(self.missing[:_NAMED]) + more
            found.append(f"{len(self.missing)} emitted records have no outcome: {named}")
        if self.consumed is not None and self.consumed < self.emitted:
            found.append(f"the worker's metrics count {self.consumed} of {self.emitted} records")
        if self.worker_exit != 0:
            found.append(
                f"the worker left with exit status {self.worker_exit}; the end of its log:\n"
                f"{self.worker_log}"
            )
        if not found and not self.ok:
            found.append("the equation does not hold")
        return found

    def as_json(self) -> dict[str, Any]:
        latency = self.latency
        return {
            "ok": self.ok,
            "emitted": self.emitted,
            "consumed": self.consumed,
            "routed": self.kinds["routed"],
            "review": self.kinds["review"],
            "dead_lettered": self.kinds["dead_letter"],
            "ignored": self.kinds["ignored"],
            "repeated": self.repeats,
            "missing": list(self.missing),
            "faults": self.faults(),
            "outcomes": [
                {"queue": queue, "reason": reason, "count": count}
                for queue, reason, count in self.reasons
            ],
            "mean_confidence": self.confidences,
            "latency_seconds": latency
            and {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99},
            "worker_exit": self.worker_exit,
            "seconds": round(self.seconds, 3),
            "seed": self.seed,
            "broker": self.broker,
            "topic_prefix": self.topic_prefix,
        }


def summarise(ledger: Ledger, queues: Sequence[str], **rest: Any) -> Summary:
    """``queues`` gives the order; ``rest`` is what the ledger does not know."""
    places = {queue: place for place, queue in enumerate(queues)}
    reasons = sorted(
        ((queue, reason, count) for (queue, reason), count in ledger.reasons.items()),
        key=lambda row: (places.get(row[0], len(places)), row[0], -row[2], row[1]),
    )
    means = {queue: ledger.mean_confidence(queue) for queue, _, _ in reasons}
    return Summary(
        emitted=ledger.emitted,
        kinds=ledger.kinds(),
        reasons=reasons,
        confidences={queue: round(mean, 4) for queue, mean in means.items() if mean is not None},
        latency=ledger.latency(),
        repeats=ledger.repeats,
        missing=[sent.event_id for sent in ledger.missing()],
        problems=tuple(ledger.problems),
        **rest,
    )


def show(summary: Summary, console: Console) -> None:
    console.print(_rendered(summary))


def _rendered(summary: Summary) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("queue")
    table.add_column("reason")
    table.add_column("records", justify="right")
    table.add_column("confidence, mean", justify="right")
    last = None
    for queue, reason, count in summary.reasons:
        first = queue != last
        mean = summary.confidences.get(queue)
        shown = f"{mean:.2f}" if first and mean is not None else ""
        table.add_row(queue if first else "", reason.replace("_", " "), str(count), shown)
        last = queue
    verdict = Text("all accounted for", "bold green") if summary.ok else Text("", "bold red")
    for fault in summary.faults():
        verdict.append(f"✗ {fault}\n")
    verdict.rstrip()
    lines = [f"emitted {summary.emitted} in {summary.seconds:.1f} s (seed {summary.seed})"]
    if summary.latency:
        lines.append(f"produce to decision readable: {milliseconds(summary.latency)}")
    return Group(
        "",
        table,
        "",
        Text(summary.equation, "bold"),
        verdict,
        *lines,
        "",
        *(Text(step) for step in _NEXT),
    )


def milliseconds(latency: Latency) -> str:
    values = (("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99))
    return "  ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in values)
