"""Small changes that keep a text's meaning, so that the model does not learn a data set's manners.

BANKING77 ends its questions with a mark and greets nobody; CLINC150 writes without marks; a
customer does as they like.
"""

from __future__ import annotations

import numpy as np

_MARKS = ".?! "
_OPENINGS = (
    "Hi, ", "Hello, ", "Hi there. ", "Good morning, ", "Hey ", "Dear team, ",
    "Hello, can you help? ",
)  # fmt: skip
_CLOSINGS = (
    " Thanks", " Thank you.", " thanks in advance", " Please help.", " Kind regards", " Cheers",
)  # fmt: skip


def varied(text: str, random: np.random.Generator) -> str:
    """``text`` with other end marks in half of the cases, and now and then a greeting or thanks."""
    draw = random.random()
    if draw < 0.25:
        text = text.rstrip(_MARKS) or text
    elif draw < 0.5 and text[-1:].isalnum():
        text += _MARKS[random.integers(3)]
    if random.random() < 0.08:
        text = _OPENINGS[random.integers(len(_OPENINGS))] + text
    if random.random() < 0.08:
        text += _CLOSINGS[random.integers(len(_CLOSINGS))]
    return text
