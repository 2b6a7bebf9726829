"""Unit tests of a policy, in YAML: a message, what the model would say, what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from router.core.circumstances import Circumstances
from router.core.deciding import decide
from router.core.decision import Decision
from router.core.event import ChatMessage, EmailMessage, Event
from router.core.located_yaml import Document, Path, Problem
from router.core.policy import Policy
from router.core.policy_file import read_document
from router.core.prediction import FlagScore, IntentScore, ModelRef, Prediction
from router.core.record import Source
from router.core.schema_problems import FileError, FileSchema, did_you_mean
from router.core.text import UNKNOWN_LANGUAGE, CustomerText
from router.core.topics import REVIEW

_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_MODEL = ModelRef("test", "0", "0" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """One test; ``expected`` holds the decision's fields that must be so."""

    name: str
    line: int
    event: Event
    text: CustomerText
    prediction: Prediction | None
    model_languages: frozenset[str] | None
    expected: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a decision that is not as expected."""

    field: str
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A test passes where there is no difference."""

    case: PolicyCase
    differences: tuple[Difference, ...]
    explanation: str


def load_cases(source: bytes, name: str, schema: FileSchema, policy: Policy) -> list[PolicyCase]:
    """The tests in ``source``, a file called ``name``.

    Raises:
        FileError: every problem of the file, with its line; an expected queue or rule that the
            policy does not have is one.
    """
    document = read_document(source, name)
    problems = [*document.problems, *schema.problems(document)]
    if not problems:
        problems = list(_unknown_names(document, policy))
    if problems:
        raise FileError(name, problems)
    value = document.value
    languages = frozenset(value["model_languages"]) if "model_languages" in value else None
    return [
        _case(test, document.place(("tests", number)).line, languages)
        for number, test in enumerate(value["tests"])
    ]


def run_case(case: PolicyCase, policy: Policy) -> CaseResult:
    """What ``policy`` decides on the case, against what is expected."""
    decision = decide(
        event=case.event,
        source=Source("policy-test", 0, case.line),
        text=case.text,
        matched=policy.match(case.event, case.text),
        prediction=case.prediction,
        around=Circumstances(
            policy=policy,
            model=_MODEL,
            languages=case.model_languages,
            decided_at=_TIME,
            timings={},
            router_version="0",
        ),
    )
    pairs = ((field, want, _got(decision, field)) for field, want in case.expected.items())
    differences = tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])
    return CaseResult(case, differences, decision.explanation)


def _got(decision: Decision, field: str) -> Any:
    value = getattr(decision, field)
    return sorted(value) if field == "flags" else value


def _unknown_names(document: Document, policy: Policy) -> Iterator[Problem]:
    rules = {rule.name for rule in policy.rules}
    queues = {*policy.queues, REVIEW}
    lines: dict[str, int] = {}
    for number, test in enumerate(document.value["tests"]):
        path: Path = ("tests", number)
        place = document.place((*path, "name"))
        if test["name"] in lines:
            message = f"the test in line {lines[test['name']]} has the same name"
            yield document.problem((*path, "name"), message)
        lines.setdefault(test["name"], place.line)
        for what, known in (("queue", queues), ("rule", rules)):
            named = test["expect"].get(what)
            if named is not None and named not in known:
                message = f"the policy has no {what} {named}{did_you_mean(named, known)}"
                yield document.problem((*path, "expect", what), message)


def _case(test: Mapping[str, Any], line: int, languages: frozenset[str] | None) -> PolicyCase:
    expected = dict(test["expect"])
    if "flags" in expected:
        expected["flags"] = sorted(expected["flags"])
    return PolicyCase(
        name=test["name"],
        line=line,
        event=_event(test.get("event", {}), test.get("channel", "chat"), test.get("text", "")),
        text=CustomerText(test.get("text", "").strip(), test.get("language", UNKNOWN_LANGUAGE), ()),
        prediction=_prediction(test),
        model_languages=languages,
        expected=expected,
    )


def _event(fields: Mapping[str, Any], channel: str, text: str) -> Event:
    def given(name: str) -> str | None:
        value = fields.get(name)
        return value if isinstance(value, str) else None

    shared: dict[str, Any] = {
        "event_id": "test",
        "time": _TIME,
        "conversation_id": "test",
        "author": "customer",
        "customer_id": given("customer_id"),
        "locale": given("locale"),
        "country": given("country"),
        "product": given("product"),
        "segment": given("segment"),
        "fields": fields,
        "raw": b"{}",
    }
    if channel == "email":
        return EmailMessage(**shared, subject="", body_text=text, body_html="", headers={})
    return ChatMessage(**shared, text=text)


def _prediction(test: Mapping[str, Any]) -> Prediction | None:
    if "prediction" not in test:
        return None
    scores = sorted(test["prediction"].items(), key=lambda score: -score[1])
    intents = tuple(IntentScore(intent, float(confidence)) for intent, confidence in scores)
    return Prediction(
        intents,
        float(test.get("in_scope", 1.0)),
        stage="test",
        truncated=False,
        flags=tuple(FlagScore(name, float(p)) for name, p in test.get("flags", {}).items()),
    )
