"""What `router route` answers: an object for machines, a few lines for people."""

from __future__ import annotations

from typing import Any

import click
import orjson

from router.cli.output import plain
from router.cli.route_input import NO_ID, Asked
from router.core.decision import Decision
from router.core.event import Rejected
from router.core.line import Outcome
from router.core.topics import DEAD_LETTER, REVIEW

_LEFT_OUT = frozenset({"schema", "decision_id", "source", "timings", "router_version"})
"""Of a decision: what says something of a record in Kafka, and there is none."""


def answer_json(asked: Asked, outcome: Outcome) -> str:
    """The answer as one line of JSON."""
    head: dict[str, Any] = {} if asked.id is NO_ID else {"id": asked.id}
    head |= {"line": asked.line, "topic": outcome.records[0].topic}
    if outcome.rejected is not None:
        body = _refusal(asked, outcome, outcome.rejected)
    else:
        body = orjson.loads(orjson.dumps(outcome.decision, option=orjson.OPT_UTC_Z))
    return orjson.dumps(head | {k: v for k, v in body.items() if k not in _LEFT_OUT}).decode()


def _refusal(asked: Asked, outcome: Outcome, rejected: Rejected) -> dict[str, Any]:
    return {
        "event_id": asked.event_id,
        "channel": outcome.channel,
        "queue": DEAD_LETTER,
        "reason": rejected.reason,
        "explanation": rejected.detail,
        "field": rejected.field,
        "detail": rejected.detail,
        "rule": None,
        "intent": None,
        "confidence": None,
        "threshold": None,
        "candidates": [],
        "flags": [],
        "language": "und",
        "priority": None,
        "due_at": None,
        "policy": None,
        "model": None,
    }


def answer_words(asked: Asked, outcome: Outcome, *, numbered: bool) -> str:
    """The answer as a short block; ``numbered`` puts the line's number before it."""
    queue, why, facts, table = (
        _of_refusal(outcome.rejected)
        if outcome.rejected is not None
        else _of_decision(outcome.decision)
    )
    place = f"line {asked.line}" if numbered else ""
    if numbered and asked.id is not NO_ID:
        place += f" (id {asked.id})"
    colour = {DEAD_LETTER: "red", REVIEW: "yellow"}.get(queue, "green")
    head = click.style(queue, fg=colour, bold=True)
    lines = [f"{plain(place)}: {head}" if place else head, f"  {plain(why)}"]
    if facts:
        lines.append("  " + plain(" · ".join(facts)))
    return "\n".join([*lines, *(f"    {plain(row)}" for row in table)])


_Block = tuple[str, str, list[str], list[str]]


def _of_refusal(rejected: Rejected) -> _Block:
    facts = [f"reason {rejected.reason}", f"field {rejected.field}"]
    return DEAD_LETTER, rejected.detail, facts, []


def _of_decision(decision: Decision | None) -> _Block:
    if decision is None:
        raise TypeError("an outcome is a decision or a refusal")
    facts = [f"reason {decision.reason}", f"language {decision.language}"]
    if decision.confidence is not None:
        facts.append(f"confidence {decision.confidence:.1%}")
    facts.append(f"priority {decision.priority}")
    if decision.due_at is not None:
        facts.append(f"due {decision.due_at:%Y-%m-%d %H:%M} UTC")
    if decision.flags:
        facts.append(f"flags {', '.join(decision.flags)}")
    return decision.queue, decision.explanation, facts, _candidates(decision)


def _candidates(decision: Decision) -> list[str]:
    if not decision.candidates:
        return []
    wide = max(len(candidate.intent) for candidate in decision.candidates)
    return [f"{c.confidence:6.1%}  {c.intent:<{wide}}  {c.queue}" for c in decision.candidates]
