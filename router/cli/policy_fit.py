"""`router policy fit`: thresholds that keep the share of wrong messages below a bound."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from router.cli.context import settings_of
from router.cli.output import json_option, note, print_json, print_table
from router.cli.progress import Progress
from router.core.fitting import REVIEW_ALL, Aim, Fit, Fitted, Sent, fit_thresholds, stands_out
from router.core.model_alone import ModelAlone, reachable
from router.core.policy import Policy
from router.core.policy_edit import Change, EditError, with_thresholds
from router.core.policy_file import load_policy
from router.core.prediction import Classifier, Question
from router.errors import PolicyError, UsageError
from router.policies import file_schema, open_policy, read_file
from router.resources import DEFAULT_POLICY, MODELS

if TYPE_CHECKING:
    from router.model.labelled import Labelled

_TOGETHER = 128
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_FOUND_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("fit")
@click.option(
    "--risk", type=_SHARE, required=True, help="Largest share of wrong messages, such as 0.02."
)
@click.option(
    "--data", type=_FOUND_FILE, required=True, help="CSV or .jsonl: text, label, language."
)
@click.option("--model", "spec", default="", help="Bundle folder or name@version; else the live.")
@click.option("--policy", type=_FILE, help="Default: the policy in force.")
@click.option(
    "--confidence",
    type=_SHARE,
    default=0.95,
    show_default=True,
    help="With which the risk holds, for all queues together.",
)
@click.option("--out", type=_FILE, help="Write the policy with its new thresholds here.")
@json_option
@click.pass_context
def fit_command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    risk: float,
    data: Path,
    spec: str,
    policy: Path | None,
    confidence: float,
    out: Path | None,
    as_json: bool,
) -> int:
    """Find each queue's threshold for a bound on the messages that it gets wrongly.

    DATA holds labelled messages as they come in, which the model was not made with, also those
    that are no business of the bank's (label out_of_scope). Without --out nothing is written. What
    the bound says and does not say: deploy/fitting.md. Exit code 1 if no queue can be fitted.

    \b
    Examples:
      router policy fit --risk 0.02 --data labelled.csv
      router policy fit --risk 0.02 --data labelled.csv --policy policy.yaml --out policy.yaml
      router policy fit --risk 0.01 --confidence 0.9 --data labelled.jsonl --json
    """
    from router.model.bundle import find_bundle
    from router.model.classifier import load_classifier
    from router.model.labelled import read_labelled

    settings = settings_of(context)
    path = policy or (Path(settings.policy) if settings.policy else DEFAULT_POLICY)
    fitted_policy = open_policy(path)
    rows = read_labelled(data)
    classifier = load_classifier(find_bundle(spec or settings.model, MODELS))
    sent, unknown = _sent(fitted_policy, classifier, rows)
    aim = Aim(risk, confidence)
    fitted = fit_thresholds(sent, reachable(fitted_policy), aim)
    model = f"{classifier.ref.name}@{classifier.ref.version}"
    source = f"{data.name} sha256:{sha256(data.read_bytes()).hexdigest()[:12]}"
    any_fitted = any(fit.source != "review" for fit in fitted.fits)
    written = out if any_fitted else None
    if written is not None:
        _write(path, written, _changes(fitted, aim, model, source))
    warnings = [_stands_out(fit) for fit in fitted.fits if stands_out(fit, risk)]
    if unknown:
        warnings.append(
            f"{unknown} rows have a label that neither the policy nor the model names: they count "
            f"as of {fitted_policy.otherwise}."
        )
    if as_json:
        whole = _as_json(fitted, aim, len(rows), warnings)
        print_json({"policy": str(path), "model": model, "data": source, **whole,
                    "out": str(written) if written else None})  # fmt: skip
    else:
        _print(fitted, aim, data.name, warnings)
        if written is not None:
            note(f"Written: {written}. Now: router policy check {written}, and router policy test.")
    if not any_fitted:
        note("No queue can be fitted, and nothing is written.")
    return 0 if any_fitted else 1


def _sent(
    policy: Policy, classifier: Classifier, rows: Sequence[Labelled]
) -> tuple[list[Sent], int]:
    """What the model alone sends, and how many labels nobody knows.

    Rows labelled `in_scope` have no right queue and are left out.
    """
    from router.model.labelled import IN_SCOPE, OUT_OF_SCOPE

    rows = [row for row in rows if row.label != IN_SCOPE]
    alone = ModelAlone(policy, classifier.languages)
    known = policy.intents | {*classifier.intents, OUT_OF_SCOPE}
    sent: list[Sent | None] = []
    progress = Progress("messages asked")
    for start in range(0, len(rows), _TOGETHER):
        some = rows[start : start + _TOGETHER]
        answers = classifier.predict([Question(row.text, row.language) for row in some]).answers
        sent += [
            alone.send(
                row.text, row.language, row.label, answer, in_scope=row.label != OUT_OF_SCOPE
            )
            for row, answer in zip(some, answers, strict=True)
        ]
        progress.add(len(some))
    progress.clear()
    return [one for one in sent if one], sum(row.label not in known for row in rows)


def _changes(fitted: Fitted, aim: Aim, model: str, data: str) -> dict[str, Change]:
    return {
        fit.queue: Change(
            fit.threshold,
            {
                "risk": aim.risk,
                "confidence": aim.confidence,
                "n": fit.n,
                "errors": fit.errors,
                "from": fit.source,
                "model": model,
                "data": data,
            },
        )
        for fit in fitted.fits
    }


def _write(path: Path, out: Path, changes: dict[str, Change]) -> None:
    try:
        edited = with_thresholds(read_file(path).decode(), changes).encode()
    except EditError:
        raise PolicyError(
            f"{path} is laid out in a way that cannot be edited in place.",
            "Write each queue's keys on lines of their own, and run this again.",
        ) from None
    load_policy(edited, str(out), file_schema("routing-policy.v1"))
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(edited)
        part.replace(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None


def _stands_out(fit: Fit) -> str:
    return (
        f"Of the {fit.sent} messages to {fit.queue} itself {fit.wrong} are wrong, more than chance "
        "makes of the risk: the pool's bound does not speak for it. Label more of its messages, or "
        "set its threshold by hand."
    )


def _print(fitted: Fitted, aim: Aim, data: str, warnings: Sequence[str]) -> None:
    columns = ("queue", "n", "threshold", "share", "errors", "bound", "from", "its own")
    print_table(columns, [_row(fit) for fit in fitted.fits])
    share, wrong = _whole(fitted)
    note(
        f"For messages like those of {data}, with {aim.confidence:g} confidence: at most "
        f"{aim.risk:g} of what goes to a queue `from` queue is wrong, and of what goes to the "
        f"pooled queues together. Of those tested {share:.1%} go without people, {wrong:.2%} of "
        f"them wrongly. {fitted.needed} messages give a queue a test of its own."
    )
    for warning in warnings:
        note(f"Mind: {warning}")


def _row(fit: Fit) -> tuple[str, ...]:
    share = f"{fit.sent / fit.of:.1%}" if fit.of else "–"
    own = f"{fit.wrong} of {fit.sent} wrong" if fit.sent else "–"
    threshold = "review" if fit.threshold == REVIEW_ALL else f"{fit.threshold:.2f}"
    bound = f"{fit.bound:.4f}"
    return fit.queue, str(fit.n), threshold, share, str(fit.errors), bound, fit.source, own


def _whole(fitted: Fitted) -> tuple[float, float]:
    """The share of the tested messages that goes without people, and that of wrong ones in it."""
    of, sent, wrong = (sum(getattr(f, n) for f in fitted.fits) for n in ("of", "sent", "wrong"))
    return sent / max(1, of), wrong / max(1, sent)


def _as_json(fitted: Fitted, aim: Aim, rows: int, warnings: Sequence[str]) -> dict[str, Any]:
    share, wrong = _whole(fitted)
    return {
        "risk": aim.risk,
        "confidence": aim.confidence,
        "rows": rows,
        "tests": fitted.tests,
        "needed": fitted.needed,
        "share": round(share, 6),
        "errors_share": round(wrong, 6),
        "queues": [
            {
                "queue": fit.queue,
                "n": fit.n,
                "threshold": fit.threshold,
                "share": round(fit.sent / fit.of, 6) if fit.of else None,
                "errors": fit.errors,
                "bound": round(fit.bound, 6),
                "from": fit.source,
                "of": fit.of,
                "sent": fit.sent,
                "wrong": fit.wrong,
            }
            for fit in fitted.fits
        ],
        "warnings": list(warnings),
    }
