"""Why a decision came out as it did: one plain sentence each, never a word of the customer's."""

from __future__ import annotations

from functools import lru_cache

from router.core.policy import Rule

NOT_CUSTOMER = "The message was not written by the customer."
AUTO_REPLY = "The email is an automatic reply."
EMPTY = "The message holds no new words of the customer's: people sort it."
NO_MODEL = "No rule applies and the model gave no answer: people sort it."


def rule_matches(rule: Rule) -> str:
    flagged = f" and flags it {rule.flag}" if rule.flag else ""
    return f"Rule {rule.name} matches: it sends the message to {rule.queue}{flagged}."


def flagged(flag: str, probability: float, threshold: float, queue: str) -> str:
    return (
        f"The model reads the message as {flag} with {percent(probability)} probability, and at "
        f"least {percent(threshold)} is asked for: it goes to {queue} whatever else it asks."
    )


def other_language(language: str) -> str:
    return f"The model does not read the message's language, {language}: people sort it."


def out_of_scope(in_scope: float, least: float) -> str:
    return (
        f"The message is a bank's business with {percent(in_scope)} probability, "
        f"and at least {percent(least)} is asked for: people sort it."
    )


def low_confidence(intent: str, confidence: float, queue: str, threshold: float) -> str:
    return (
        f"The model's best guess is {intent} with {percent(confidence)} confidence, "
        f"and {queue} asks for at least {percent(threshold)}: people sort it."
    )


def never_alone(intent: str, confidence: float, queue: str) -> str:
    return (
        f"The model's best guess is {intent} with {percent(confidence)} confidence, "
        f"and {queue} takes nothing on the model's word alone: people sort it."
    )


def sure(intent: str, confidence: float, queue: str, threshold: float) -> str:
    return (
        f"The model reads {intent} with {percent(confidence)} confidence, "
        f"and {queue} asks for at least {percent(threshold)}."
    )


def no_queue(intent: str, confidence: float, queue: str) -> str:
    return (
        f"The model reads {intent} with {percent(confidence)} confidence, "
        f"which no queue takes: it goes to {queue}."
    )


@lru_cache(maxsize=20_000)
def percent(share: float) -> str:
    """Exact to the four places that shares are rounded to, so that 49.96% never reads as 50%."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"
