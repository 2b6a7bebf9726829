"""Which delivery guarantee is in force, and why: what is set, and what the broker can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from router.errors import BrokerError
from router.settings import Settings
from router.stream.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class Guarantee:
    """``because`` is for people."""

    name: Literal["exactly-once", "at-least-once"]
    because: str


def guarantee(settings: Settings, broker: Capabilities) -> Guarantee:
    """The guarantee that ``ROUTER_DELIVERY`` comes to on this broker.

    Raises:
        BrokerError: exactly-once is asked for, and the broker has no transactions.
    """
    if settings.delivery == "auto":
        if broker.transactions:
            return Guarantee("exactly-once", "the broker has transactions")
        return Guarantee("at-least-once", "the broker has no transactions")
    if settings.delivery == "exactly-once" and not broker.transactions:
        raise BrokerError(
            "The broker has no transactions, and ROUTER_DELIVERY asks for exactly-once.",
            "Set ROUTER_DELIVERY to auto or at-least-once, or use a broker that has them.",
        )
    return Guarantee(settings.delivery, f"ROUTER_DELIVERY is {settings.delivery}")
