"""What `router doctor` asks the broker: is it there, what can it do, are the topics right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from router.cli.checks import Finding, failure
from router.errors import RouterError
from router.settings import Settings
from router.stream.admin import Difference, TopicState, differences, open_admin
from router.stream.capabilities import Capabilities, ask_broker
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
    has = f"idempotent producer {_yes(can.idempotent)}, transactions {_yes(can.transactions)}"
    says = f"ROUTER_DELIVERY={settings.delivery}; the broker's {has}"
    if settings.delivery == "exactly-once" and not can.transactions:
        fix = "Set ROUTER_DELIVERY to auto, or use a broker with transactions."
        return Finding("delivery", "fail", says, fix)
    return Finding("delivery", "ok", says)


def _yes(has: bool) -> str:
    return "yes" if has else "no"


def _topics(specs: Sequence[TopicSpec], found: dict[str, TopicState]) -> Iterator[Finding]:
    missing = [spec.name for spec in specs if spec.name not in found]
    if missing:
        says = f"missing: {', '.join(missing)}"
        yield Finding("topics", "fail", says, "Make them with `router topics create`.")
    unlike = [
        one for spec in specs if spec.name in found for one in differences(spec, found[spec.name])
    ]
    yield from (_unlike(one) for one in unlike)
    if not missing and not unlike:
        yield Finding("topics", "ok", f"{len(specs)} are there, and as they should be")


def _unlike(one: Difference) -> Finding:
    says = f"{one.topic} has {one.setting}={one.found}, wanted {one.wanted}"
    if one.harmful:
        return Finding("topics", "fail", says, "Alter the topic: records would get stuck or lost.")
    return Finding("topics", "warn", says, "Alter the topic where this was not meant.")
