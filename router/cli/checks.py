"""What `router doctor` can check on this machine: settings, schemas, policy, model, ports."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs
import orjson

from router.assembly import open_classifier, open_validators
from router.cli.output import Level
from router.core.policy import Policy, check_policy_against_model
from router.core.prediction import Classifier, Question
from router.errors import RouterError
from router.policies import open_policy
from router.resources import SCHEMAS
from router.settings import Settings, unknown_variables

_SAMPLE = Question("My card has not arrived yet.", "en")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer. ``says`` is what was found; ``fix`` what to do where it is not ok."""

    check: str
    level: Level
    says: str
    fix: str = ""


def failure(check: str, error: RouterError) -> Finding:
    return Finding(check, "fail", error.problem, error.fix)


def local_findings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """All checks that need no broker, in the order in which a start would meet them."""
    yield from _variables(environ)
    yield from _safely("schemas", _schemas)
    policy = classifier = None
    try:
        policy = open_policy(settings.policy)
        yield _policy(policy)
    except RouterError as error:
        yield failure("policy", error)
    try:
        classifier = open_classifier(settings)
        yield _model(classifier)
    except RouterError as error:
        yield failure("model", error)
    if policy and classifier:
        yield from _fit(policy, classifier)
    yield _port(settings)


def _variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    yield Finding("settings", "ok", "all are well formed")
    for name in unknown_variables(environ):
        fix = "If it is a misspelling, `router settings` lists the names; else leave it."
        yield Finding("settings", "warn", f"{name} is no setting of the router", fix)


def _safely(check: str, findings: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from findings()
    except RouterError as error:
        yield failure(check, error)


def _schemas() -> Iterator[Finding]:
    open_validators()
    files = sorted(SCHEMAS.glob("*.json"))
    for path in files:
        if problem := _schema_problem(path):
            fix = "Install the package again: this file is part of it."
            yield Finding("schemas", "fail", f"{path} {problem}", fix)
            return
    yield Finding("schemas", "ok", f"{len(files)} are valid JSON Schema 2020-12")


def _schema_problem(path: Path) -> str:
    try:
        jsonschema_rs.Draft202012Validator(orjson.loads(path.read_bytes()))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError:  # no JSON, or no schema
        return "is no JSON Schema 2020-12"
    return ""


def _policy(policy: Policy) -> Finding:
    says = f"{policy.name} {policy.version}: {len(policy.queues)} queues, {len(policy.rules)} rules"
    return Finding("policy", "ok", says)


def _model(classifier: Classifier) -> Finding:
    ref = classifier.ref
    classifier.predict([_SAMPLE])
    languages = ", ".join(sorted(classifier.languages))
    says = f"{ref.name}@{ref.version}: hashes agree, it answers, and reads {languages}"
    return Finding("model", "ok", says)


def _fit(policy: Policy, classifier: Classifier) -> Iterator[Finding]:
    problems = check_policy_against_model(
        policy, classifier.intents, classifier.languages, classifier.flags
    )
    if not problems:
        yield Finding("policy and model", "ok", f"agree on {len(classifier.intents)} intents")
    for problem in problems:
        fix = "Correct the policy's intents, or choose the model that it was written for."
        yield Finding("policy and model", "warn", problem, fix)


def _port(settings: Settings) -> Finding:
    address = f"{settings.metrics_host}:{settings.metrics_port}"
    family = socket.AF_INET6 if ":" in settings.metrics_host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.metrics_host, settings.metrics_port))
    except OSError as error:
        fix = "Unless a worker is running here, set ROUTER_METRICS_PORT to a free port, or to 0."
        return Finding("metrics port", "warn", f"{address}: {error.strerror}", fix)
    return Finding("metrics port", "ok", f"{address} is free")
