"""Weights as int8 with one scale a column or a row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Int8s = npt.NDArray[np.int8]

PRODUCT_LIMIT = 63
"""AVX2's vpmaddubsw adds two products of a uint8 and an int8 in 16 bits and saturates above
32,767: weights of up to 63 never get there."""

TABLE_LIMIT = 127
"""A table is only looked up, so it may use all of int8."""

_NOTHING = 1e-30


def by_column(weight: Floats) -> tuple[Int8s, Floats]:
    """``weight`` (in, out) as int8 of at most `PRODUCT_LIMIT` and the scale of each column."""
    return _quantised(weight, axis=0, limit=PRODUCT_LIMIT)


def by_row(table: Floats) -> tuple[Int8s, Floats]:
    """``table`` (rows, width) as int8 and the scale of each row, (rows, 1)."""
    return _quantised(table, axis=1, limit=TABLE_LIMIT)


def _quantised(values: Floats, axis: int, limit: int) -> tuple[Int8s, Floats]:
    largest = np.abs(values).max(axis=axis, keepdims=True)
    # Below the least normal float32 a scale has lost its digits; such weights are nothing.
    scale = np.where(largest > _NOTHING, largest / limit, 1).astype(np.float32)
    return np.rint(values / scale).astype(np.int8), scale
