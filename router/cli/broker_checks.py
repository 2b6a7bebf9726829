"""What `router doctor` asks the broker: is it there, what can it do, are the topics right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from router.cli.checks import Finding, failure
from router.errors import RouterError
from router.settings import Settings
from router.stream.admin import TopicState, differences, open_admin
from router.stream.capabilities import Capabilities, ask_broker
from router.stream.guarantee import guarantee
from router.stream.topic_list import TopicSpec, wanted_topics

_PATIENCE = 10.0
"""Seconds at most for one answer: a person waits."""


async def broker_findings(
    settings: Settings, queues: Sequence[str] | None
) -> AsyncIterator[Finding]:
    """The broker's part; ``queues`` None: the policy is broken, so theirs cannot be checked."""
    settings = replace(settings, request_timeout=min(settings.request_timeout, _PATIENCE))
    specs = wanted_topics(settings, queues or ())
    try:
        async with open_admin(settings) as admin:
            found = await admin.describe(spec.name for spec in specs)
        can = await ask_broker(settings, ())
    except RouterError as error:
        yield failure("broker", error)
        return
    yield Finding("broker", "ok", f"{settings.broker} answers ({settings.security_protocol})")
    yield _delivery(settings, can)
    for finding in _topics(specs, found):
        yield finding


def _delivery(settings: Settings, can: Capabilities) -> Finding:
    try:
        chosen = guarantee(settings, can)
    except RouterError as error:
        return failure("delivery", error)
    idempotent = "yes" if can.idempotent else "no"
    says = f"{chosen.name}: {chosen.because} (idempotent producer: {idempotent})"
    return Finding("delivery", "ok", says)


def _topics(specs: Sequence[TopicSpec], found: dict[str, TopicState]) -> Iterator[Finding]:
    missing = [spec.name for spec in specs if spec.name not in found]
    if missing:
        says = f"missing: {', '.join(missing)}"
        yield Finding("topics", "fail", says, "Make them with `router topics create`.")
    unlike: dict[_Unlike, list[str]] = {}
    for spec in specs:
        for one in differences(spec, found[spec.name]) if spec.name in found else ():
            key = (one.harmful, one.setting, one.found, one.wanted)
            unlike.setdefault(key, []).append(one.topic)
    yield from (_differing(*key, topics) for key, topics in unlike.items())
    if not missing and not unlike:
        yield Finding("topics", "ok", f"{len(specs)} are there, and as they should be")


_Unlike = tuple[bool, str, str, str]


def _differing(harmful: bool, setting: str, found: str, wanted: str, topics: list[str]) -> Finding:
    says = f"{setting}={found}, wanted {wanted}: {', '.join(topics)}"
    if harmful:
        fix = "Alter these topics: records would get stuck or lost."
        return Finding("topics", "fail", says, fix)
    return Finding("topics", "warn", says, "Alter these topics where this was not meant.")
