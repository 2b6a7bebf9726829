"""What `router replay` prints. Customers' words only where they were asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import click

from router.cli.output import note, plain, print_json, print_table
from router.core.record import Source
from router.core.redeciding import Change, Comparison, Made
from router.core.replaying import Standing

_UNSENDABLE = ("refused", "gone", "foreign", "too_old")
_WHY = {
    "gone": "only the event's beginning is left anywhere",
    "foreign": "names no input topic of these settings",
    "too_old": "older than the marks that say what was sent again",
}


@dataclass(slots=True)
class Survey:
    """Dead letters counted, and the first ``keep`` of them. Those sent again already are counted
    as such, and else left out unless ``with_replayed``. Of ``sought`` those stay that never came.
    """

    keep: int
    with_replayed: bool
    sought: set[Source]
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    rows: list[Standing] = field(default_factory=list)

    def add(self, standing: Standing) -> None:
        self.states[standing.state] += 1
        self.sought.discard(standing.letter.at)
        if standing.refusal is not None:
            self.refusals[standing.refusal.reason] += 1
        if standing.state == "replayed" and not self.with_replayed:
            return
        self.reasons[standing.letter.reason] += 1
        if len(self.rows) < self.keep:
            self.rows.append(standing)

    @property
    def unsendable(self) -> int:
        """Those that cannot be sent as things are."""
        return sum(self.states[state] for state in _UNSENDABLE)


def print_letters(survey: Survey, *, show_text: bool, as_json: bool) -> None:
    """The list: a row for each, and the counts of all."""
    if as_json:
        print_json(
            {
                "count": sum(survey.reasons.values()),
                "by_reason": dict(survey.reasons.most_common()),
                "by_state": dict(survey.states),
                "dead_letters": [_row(one, show_text=show_text) for one in survey.rows],
            }
        )
        return
    columns = ("when", "reason", "field", "detail", "source", "attempts", "size", "dead letter")
    print_table((*columns, "now"), (_line(one) for one in survey.rows))
    if show_text:
        for one in survey.rows:
            click.echo(f"{one.letter.at}: {plain(_text(one) or '')}")
    total = sum(survey.reasons.values())
    words = [f"{count} {plain(reason)}" for reason, count in survey.reasons.most_common()]
    note(f"{total} dead letters" + (f": {', '.join(words)}." if words else "."))
    if len(survey.rows) < total:
        note(f"The first {len(survey.rows)} are listed; --limit lists more.")
    if survey.states["replayed"] and not survey.with_replayed:
        note(f"{survey.states['replayed']} more were sent again already; --all lists them.")
    if survey.states["accepted"]:
        note(f"{survey.states['accepted']} would be read now: --re-emit sends them again.")


def print_plan(
    survey: Survey,
    planned: int,
    *,
    as_json: bool,
    sent: int | None = None,
    delivery: str | None = None,
) -> None:
    """What would be sent, or with ``sent`` what was."""
    lost = sorted(map(str, survey.sought))
    if as_json:
        print_json(
            {
                "dry_run": sent is None,
                "to_send": planned,
                "sent": sent or 0,
                "delivery": delivery,
                "by_state": dict(survey.states),
                "refused": dict(survey.refusals),
                "not_found": lost,
            }
        )
        return
    if sent is None:
        click.echo(f"{planned} would be sent again.")
    else:
        kind = f", {delivery.replace('-', ' ')}" if delivery else ""
        click.echo(f"{sent} sent again{kind}.")
    if survey.states["replayed"]:
        click.echo(f"{survey.states['replayed']} were sent again before.")
    for reason, count in survey.refusals.most_common():
        click.echo(f"{count} would be refused still: {reason}.")
    for state, why in _WHY.items():
        if survey.states[state]:
            click.echo(f"{survey.states[state]} cannot be sent: {why}.")
    if lost:
        click.echo(f"{len(lost)} of the file are not on the topic, {lost[0]} first.")


def _row(standing: Standing, *, show_text: bool) -> dict[str, Any]:
    letter, refusal = standing.letter, standing.refusal
    row: dict[str, Any] = {
        "dead_letter": asdict(letter.at),
        "time": letter.time.isoformat() if letter.time else None,
        "reason": letter.reason,
        "field": letter.field,
        "detail": letter.detail,
        "source": asdict(letter.source) if letter.source else None,
        "attempts": letter.attempts,
        "size": letter.size,
        "schema": standing.schema or None,
        "state": standing.state,
        "refused": {"reason": refusal.reason, "field": refusal.field} if refusal else None,
        "replayed_at": standing.replayed_at or None,
        "replayed_from": letter.replayed_from or None,
    }
    return row | {"value": _text(standing)} if show_text else row


def _line(standing: Standing) -> tuple[str, ...]:
    letter = standing.letter
    return (
        f"{letter.time:%Y-%m-%d %H:%M:%S}" if letter.time else "",
        letter.reason,
        letter.field,
        letter.detail,
        str(letter.source or ""),
        str(letter.attempts),
        f"{letter.size:,}",
        str(letter.at),
        standing.refusal.reason if standing.refusal else standing.state,
    )


def _text(standing: Standing) -> str | None:
    value = (standing.event or standing.letter.record).value
    return None if value is None else value.decode(errors="replace")


def print_comparison(found: Comparison, *, as_json: bool) -> None:
    """What would change: counts, queue to queue, reason to reason, and the first changes."""
    if as_json:
        print_json(
            {
                "records": found.records,
                "matched": found.matched,
                "unmatched": found.unmatched,
                "changed": found.changed,
                "moved": found.moved,
                "share_changed": round(found.share_changed, 6),
                "queues": _pairs(found.queues),
                "reasons": _pairs(found.reasons),
                "changes": [asdict(one) for one in found.changes],
            }
        )
        return
    share = f"{found.share_changed:.2%}"
    click.echo(
        f"{found.records} decided again; {found.changed} of {found.matched} would change ({share}),"
        f" {found.moved} to another queue; {found.unmatched} without a decision then."
    )
    if not found.records:
        note("No input stands between these times: see the dates, and how long its topics keep it.")
    for name, counts in (("queue", found.queues), ("reason", found.reasons)):
        rows = [(old, new, str(count)) for (old, new), count in counts.most_common() if count]
        if rows:
            click.echo("")
            print_table((f"{name} then", f"{name} now", "records"), rows)
    if found.changes:
        click.echo("")
        columns = ("source", "event id", "queue", "reason", "confidence")
        print_table(columns, (_change(one) for one in found.changes))
    if len(found.changes) < found.changed:
        note(f"The first {len(found.changes)} changes are listed; --show lists more.")


def _pairs(counts: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    pairs = counts.most_common()
    return [{"old": old, "new": new, "count": count} for (old, new), count in pairs if count]


def _change(one: Change) -> tuple[str, ...]:
    def both(old: str, new: str) -> str:
        return old if old == new else f"{old} -> {new}"

    return (
        str(one.source),
        one.event_id or "",
        both(one.old.queue, one.new.queue),
        both(one.old.reason, one.new.reason),
        both(_confidence(one.old), _confidence(one.new)),
    )


def _confidence(made: Made) -> str:
    return "-" if made.confidence is None else f"{made.confidence:.4f}"
