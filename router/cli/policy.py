"""`router policy`: check, test, show and fit a routing policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from router.cli.context import settings_of
from router.cli.output import json_option, plain, print_json, print_level, print_table
from router.cli.policy_fit import fit_command
from router.core.policy import Policy, Queue, check_policy_against_model
from router.core.policy_tests import CaseResult, load_cases, run_case
from router.core.schema_problems import FileError
from router.policies import file_schema, open_policy, read_file
from router.resources import DEFAULT_POLICY
from router.settings import Settings

_file = click.Path(path_type=Path, dir_okay=False)


@click.group()
def policy_group() -> None:
    """Check, test, show and fit a routing policy.

    A POLICY that is not given is the one in force (ROUTER_POLICY, else the default policy).

    \b
    Examples:
      router policy check policy.yaml
      router policy test policy.yaml
      router policy show
      router policy fit --risk 0.02 --data labelled.csv
    """


policy_group.add_command(fit_command)


@policy_group.command("check")
@click.argument("policy", type=_file, required=False)
@click.option("--model", "with_model", is_flag=True, help="Also against the model in force.")
@json_option
@click.pass_context
def check_command(
    context: click.Context, policy: Path | None, with_model: bool, as_json: bool
) -> None:
    """Say everything that is wrong with a policy, with lines; exit code 1 if anything is.

    \b
    Examples:
      router policy check policy.yaml
      router policy check policy.yaml --model --json
    """
    settings = settings_of(context)
    path = _path(policy, settings)
    try:
        checked = open_policy(path)
    except FileError as error:
        _report_problems(path, error, as_json=as_json)
        context.exit(1)
    warnings = _against_model(checked, settings) if with_model else []
    if as_json:
        summary = {"file": str(path), "ok": True, "problems": [], "warnings": warnings}
        print_json(summary | asdict(checked.ref))
        return
    counts = f"{len(checked.queues)} queues, {len(checked.intents)} intents"
    print_level("ok", f"{path}: {counts}, {len(checked.rules)} rules")
    for warning in warnings:
        print_level("warn", warning)


@policy_group.command("test")
@click.argument("policy", type=_file, required=False)
@click.option("--tests", type=_file, help="Default: POLICY's name with .tests.yaml, beside it.")
@json_option
@click.pass_context
def test_command(
    context: click.Context, policy: Path | None, tests: Path | None, as_json: bool
) -> None:
    """Run a policy's unit tests; exit code 1 if one fails. No model is needed.

    \b
    Examples:
      router policy test
      router policy test policy.yaml --tests policy.tests.yaml
    """
    path = _path(policy, settings_of(context))
    tests = tests or path.with_suffix(".tests.yaml")
    tested = open_policy(path)
    cases = load_cases(read_file(tests), str(tests), file_schema("routing-policy-tests.v1"), tested)
    results = [run_case(case, tested) for case in cases]
    failed = [result for result in results if result.differences]
    if as_json:
        print_json(_as_json(path, tests, results))
    else:
        _report_tests(tests, results, failed)
    if failed:
        context.exit(1)


@policy_group.command("show")
@click.argument("policy", type=_file, required=False)
@json_option
@click.pass_context
def show_command(context: click.Context, policy: Path | None, as_json: bool) -> None:
    """Show a policy's queues.

    \b
    Examples:
      router policy show
      router policy show policy.yaml --json
    """
    shown = open_policy(_path(policy, settings_of(context)))
    rows = [_row(queue, shown) for queue in shown.queues.values()]
    if as_json:
        print_json(asdict(shown.ref) | {"otherwise": shown.otherwise, "queues": rows})
        return
    columns = ("queue", "priority", "due", "threshold", "intents", "rules", "description")
    print_table(columns, [[str(row[column]) for column in columns] for row in rows])


def _path(policy: Path | None, settings: Settings) -> Path:
    if policy is not None:
        return policy
    return Path(settings.policy) if settings.policy else DEFAULT_POLICY


def _against_model(policy: Policy, settings: Settings) -> list[str]:
    from router.assembly import open_classifier  # ONNX Runtime is slow to import

    model = open_classifier(settings)
    return check_policy_against_model(policy, model.intents, model.languages)


def _report_problems(path: Path, error: FileError, *, as_json: bool) -> None:
    if as_json:
        problems = [
            {"line": p.place.line, "column": p.place.column, "path": p.path, "message": p.message}
            for p in error.problems
        ]
        print_json({"file": str(path), "ok": False, "problems": problems, "warnings": []})
        return
    for problem in error.problems:
        where = click.style(f"{path}:{problem.place.line}:{problem.place.column}:", fg="red")
        click.echo(f"{where} {plain(problem.message)}")
    count = len(error.problems)
    click.echo(f"{count} problem{'s' if count > 1 else ''}.", err=True)


def _report_tests(tests: Path, results: Sequence[CaseResult], failed: Sequence[CaseResult]) -> None:
    if failed:
        print_table(
            ("test", "field", "expected", "got", "why"),
            [
                (
                    f"{tests.name}:{result.case.line} {result.case.name}",
                    difference.field,
                    _word(difference.expected),
                    _word(difference.got),
                    result.explanation,
                )
                for result in failed
                for difference in result.differences
            ],
        )
    words = f"{len(results) - len(failed)} of {len(results)} tests pass"
    click.secho(f"{words}.", fg="red" if failed else "green")


def _as_json(policy: Path, tests: Path, results: Sequence[CaseResult]) -> dict[str, Any]:
    return {
        "policy": str(policy),
        "tests": str(tests),
        "passed": sum(not result.differences for result in results),
        "failed": sum(bool(result.differences) for result in results),
        "results": [
            {
                "name": result.case.name,
                "line": result.case.line,
                "ok": not result.differences,
                "differences": [asdict(difference) for difference in result.differences],
                "explanation": result.explanation,
            }
            for result in results
        ],
    }


def _row(queue: Queue, policy: Policy) -> dict[str, Any]:
    return {
        "queue": queue.name,
        "priority": queue.handling.priority,
        "due": _duration(queue.handling.due),
        "threshold": queue.threshold,
        "intents": len(queue.intents),
        "rules": sum(rule.queue == queue.name for rule in policy.rules),
        "description": queue.description,
    }


def _duration(due: timedelta) -> str:
    seconds = int(due.total_seconds())
    units = (("d", 86_400), ("h", 3_600), ("m", 60))
    return next(
        (f"{seconds // size}{unit}" for unit, size in units if seconds % size == 0), f"{seconds}s"
    )


def _word(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)
