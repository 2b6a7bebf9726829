"""The automaton that finds a language model's features, runs of letters, in many texts at once.

It is py3langid's: each byte moves it on, and most of its states stand for a feature. Alone a text
is walked in Python; side by side NumPy walks many in a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]

FEW = 32
"""As many texts cost the same in Python, one after another, as side by side in NumPy."""


class LetterRuns:
    """``moves`` has 256 next states for each row, ``rows`` each state's row, ``features`` each
    state's feature, or -1 for none. Holds nothing that changes."""

    def __init__(self, moves: Any, rows: Any, features: Sequence[int]) -> None:
        self._moves, self._moves_alone = np.asarray(moves), moves
        self._start = np.asarray(rows).astype(np.intp) << 8
        self._start_alone: list[int] = self._start.tolist()
        self._features = np.asarray(features, dtype=np.intp)

    def visits(self, texts: Sequence[bytes]) -> tuple[Numbers, Numbers]:
        """Which of ``texts``, and which feature it has, as often as it has it; in no order."""
        whose, states = self._together(texts) if len(texts) >= FEW else self._alone(texts)
        features = self._features.take(states)
        met = features >= 0
        return whose[met], features[met]

    def _alone(self, texts: Sequence[bytes]) -> tuple[Numbers, Numbers]:
        states = [state for text in texts for state in self._walk(0, text)]
        return np.arange(len(texts)).repeat([*map(len, texts)]), np.array(states, np.intp)

    def _together(self, texts: Sequence[bytes]) -> tuple[Numbers, Numbers]:
        """Side by side as far as there are more than a few that reach so far."""
        sizes = np.fromiter(map(len, texts), np.intp, len(texts))
        order, alive, left = in_step(sizes)
        whose: list[Numbers] = []
        states: list[Numbers] = []
        ends = np.zeros(len(texts), np.intp)
        letters = _columns([texts[text] for text in order.tolist()], len(alive))
        for column, count in zip(letters, alive, strict=True):
            at = self._start.take(ends[:count])
            at += column[:count]
            ends = self._moves.take(at)
            states.append(ends)
            whose.append(order[:count])
        for text, state in zip(order[:left].tolist(), ends[:left].tolist(), strict=True):
            walked = self._walk(state, texts[text][len(alive) :])
            states.append(np.array(walked, np.intp))
            whose.append(np.full(len(walked), text))
        return np.concatenate(whose), np.concatenate(states)

    def _walk(self, state: int, text: bytes) -> list[int]:
        """The states that ``text`` leads through after ``state``."""
        moves, start = self._moves_alone, self._start_alone
        states = []
        for byte in text:
            state = moves[start[state] + byte]
            states.append(state)
        return states


def in_step(sizes: Numbers) -> tuple[Numbers, list[int], int]:
    """An order, the longest first; how many of them take each step side by side, which is no less
    than `FEW`; and how many at most have steps left that they take alone."""
    if len(sizes) < FEW:
        return np.arange(len(sizes)), [], len(sizes)
    order = np.argsort(-sizes, kind="stable")
    steps = int(sizes[order[FEW - 1]])
    ended = np.bincount(sizes, minlength=steps)[:steps]
    return order, (len(sizes) - ended.cumsum()).tolist(), FEW


def _columns(texts: Sequence[bytes], width: int) -> NDArray[np.uint8]:
    """The first bytes of all texts, then the second ones, and so on; short texts are filled up."""
    filled = b"".join(text[:width].ljust(width, b"\0") for text in texts)
    return np.ascontiguousarray(np.frombuffer(filled, np.uint8).reshape(len(texts), width).T)
