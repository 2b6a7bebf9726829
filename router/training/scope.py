"""Which of CLINC150's intents are a bank's business, which are not, and which teach neither.

CLINC150 is an assistant's world: 150 intents of which a bank's customer could mean some. Those
teach the scope head what is in scope in another hand's words than BANKING77's; calling them
foreign would teach it to send a bank's own customers away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router.training.examples import Example
from router.training.neighbours import words_of

BANK_BUSINESS = {
    "accounts and statements": (
        "account_blocked", "balance", "freeze_account", "interest_rate", "order_checks",
        "routing", "spending_history", "transactions",
    ),
    "money in and out": (
        "bill_balance", "bill_due", "direct_deposit", "min_payment", "pay_bill", "transfer",
    ),
    "cards": (
        "application_status", "apr", "card_declined", "credit_limit", "credit_limit_change",
        "damaged_card", "expiration_date", "new_card", "pin_change", "redeem_rewards",
        "replacement_card_duration", "report_fraud", "report_lost_card", "rewards_balance",
    ),
    "abroad": ("exchange_rate", "international_fees", "travel_notification"),
    "credit history": ("credit_score", "improve_credit_score"),
}  # fmt: skip
"""In scope, by why."""

UNDECIDED = {
    "a bank sells or reports it as well as an employer": (
        "income", "insurance", "insurance_change", "payday", "rollover_401k", "taxes", "w2",
    ),
    "small talk that opens, carries or ends a chat with a bank too": (
        "are_you_a_bot", "cancel", "goodbye", "greeting", "maybe", "no", "repeat", "thank_you",
        "what_can_i_ask_you", "who_do_you_work_for", "yes",
    ),
    "a bank's app or a customer's details, when said to a bank": (
        "change_language", "change_user_name", "reset_settings", "user_name",
    ),
    "a lost phone is one of BANKING77's intents; an order may be a card": (
        "find_phone", "order", "order_status",
    ),
}  # fmt: skip
"""Left out of training and of measuring, by why."""

PARTS = 5
"""Of so many parts, by the hash of the intent's name, one is held out and one calibrates."""

_MONEY_WORDS = frozenset({
    "account", "accounts", "atm", "bank", "banks", "billing", "card", "cards", "cash", "credit",
    "currency", "debit", "deposit", "loan", "loans", "money", "mortgage", "overdraft", "payment",
    "payments", "spending", "transfer", "transfers", "wire",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScopeData:
    """``foreign`` is out of scope, ``own`` in scope. The held-out ones share no intent with the
    others, so what is measured on them is scope, not memory of an intent."""

    own: tuple[Example, ...]
    foreign: tuple[Example, ...]
    calibration_own: tuple[Example, ...]
    calibration_foreign: tuple[Example, ...]
    heldout_own: tuple[Example, ...]
    heldout_foreign: tuple[Example, ...]


def scope_data(clinc: Sequence[Example]) -> ScopeData:
    """Sort CLINC150's texts by scope and part.

    CLINC150's own out-of-scope texts that speak of money (an overdraft's fee) may be a bank's
    business and are dropped; the others go to the three parts by the hash of their text.
    """
    own_names = {name for names in BANK_BUSINESS.values() for name in names}
    dropped = {name for names in UNDECIDED.values() for name in names}
    parts: dict[str, list[Example]] = {name: [] for name in ScopeData.__slots__}
    for example in clinc:
        if example.label in dropped:
            continue
        if example.label == "oos":
            if words_of(example.text) & _MONEY_WORDS:
                continue
            side, part = "foreign", _part(example.text)
        else:
            side = "own" if example.label in own_names else "foreign"
            part = _part(example.label)
        parts[f"{part}{side}"].append(example)
    return ScopeData(**{name: tuple(examples) for name, examples in parts.items()})


def heldout_intents(clinc: Iterable[Example]) -> tuple[str, ...]:
    """The CLINC150 intents of which nothing is trained or calibrated on, in alphabetical order."""
    dropped = {name for names in UNDECIDED.values() for name in names} | {"oos"}
    names = {e.label for e in clinc} - dropped
    return tuple(sorted(name for name in names if _part(name) == "heldout_"))


def _part(name: str) -> str:
    rank = int(hashlib.sha256(f"router-scope-1:{name}".encode()).hexdigest(), 16)
    return {0: "heldout_", 1: "calibration_"}.get(rank % PARTS, "")
