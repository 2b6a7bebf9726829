from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from router.training.backbones import thinned


def deep(layers: int) -> dict[str, np.ndarray]:
    weights = {f"encoder.layer.{n}.output.dense.weight": np.array(n) for n in range(layers)}
    return weights | {"embeddings.LayerNorm.bias": np.array(-1)}


def test_of_twelve_layers_every_second_stays() -> None:
    found = thinned(deep(12), 6)
    assert {int(v) for n, v in found.items() if n.startswith("encoder")} == {1, 3, 5, 7, 9, 11}
    assert found["encoder.layer.0.output.dense.weight"] == 1
    assert found["embeddings.LayerNorm.bias"] == -1


@given(st.integers(1, 24), st.data())
def test_as_many_layers_stay_as_asked_for_in_order_with_the_last(
    layers: int, data: st.DataObject
) -> None:
    left = data.draw(st.integers(1, layers))
    found = thinned(deep(layers), left)
    numbers = [int(found[f"encoder.layer.{n}.output.dense.weight"]) for n in range(left)]
    assert len(found) == left + 1
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == layers - 1
