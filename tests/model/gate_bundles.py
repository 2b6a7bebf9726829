"""Two bundles to compare: each answers a word as it is told, and a policy for their intents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from router.core.policy import Policy
from tests.core.policy_fixtures import policy_of
from tests.model.tiny import INTENTS, TinyStage, write_bundle

POLICY = """
schema: routing-policy/v1
name: gate
version: "1"
defaults: {threshold: 0.5, in_scope: 0.5, priority: 3, due: 1d, candidates: 3}
review: {priority: 2, due: 2h}
otherwise: router.review
queues:
  cards: {description: Cards., intents: [lost_card]}
  money: {description: Money., intents: [fees]}
flags:
  vulnerable: {queue: cards, threshold: 0.5}
  fraud: {queue: money, threshold: 0.5}
rules: []
"""


def policy() -> Policy:
    return policy_of(POLICY)


def words_of(count: int, start: str) -> list[str]:
    """Words of letters alone, which a tokenizer takes as one."""
    return [f"{start}{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(count)]


def bundle(
    folder: Path,
    intents: Mapping[str, str],
    flags: Mapping[str, Sequence[float]] | None = None,
    languages: Sequence[str] = ("en", "de"),
    scope: float = 2.0,
) -> Path:
    """Answers each word of ``intents`` with its intent; ``scope`` is each word's."""
    logits = {
        word: [9.0 if name == intent else 0.0 for name in INTENTS]
        for word, intent in intents.items()
    }
    write_bundle(folder, TinyStage("only", logits, flags=flags, scope=scope))
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"languages": list(languages)}))
    return folder


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path
