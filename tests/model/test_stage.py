"""What a stage is given comes back in its order, a row a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from router.errors import ModelError
from router.model.manifest import StageSpec, Tensor
from router.model.stage import RawBatch, Stage

WORDS = {"[UNK]": 0} | {f"w{number}": number for number in range(1, 40)}


class Session:
    """Gives each text the sum of its ids, in single precision; ``rows`` of each output it drops."""

    def __init__(self, dropped: Sequence[int] = (0, 0, 0)) -> None:
        self.dropped = dropped
        self.shapes: list[tuple[int, ...]] = []

    def run(self, _: object, inputs: Mapping[str, Any], __: object) -> list[Any]:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        self.shapes.append(ids.shape)
        sums = (ids * mask).sum(axis=1).astype(np.float32)
        whole = np.stack((sums, -sums), axis=1), sums, np.stack((sums + 1, sums + 2), axis=1)
        return [one[dropped:] for one, dropped in zip(whole, self.dropped, strict=True)]


def stage_of(session: Session) -> Stage:
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))  # noqa: S106  # no password
    tokenizer.pre_tokenizer = Whitespace()
    outputs = {"flag_logits": Tensor("float", ("batch", 2))}
    spec = StageSpec("only", "", "", max_tokens=16, inputs={}, outputs=outputs)
    return Stage(spec, session, tokenizer)


def asked(texts: Sequence[str], session: Session) -> RawBatch:
    return stage_of(session).ask(texts)


def test_texts_of_many_lengths_come_back_in_their_order() -> None:
    texts = ["w1", " ".join(["w2"] * 14), "w3 w4", " ".join(["w5"] * 9), "w6", "w7 " * 13]
    session = Session()
    raw = asked(texts, session)
    sums = [1.0, 28.0, 7.0, 45.0, 6.0, 91.0]
    assert sorted(session.shapes) == [(1, 12), (2, 16), (3, 8)]
    assert raw.logits.tolist() == [[one, -one] for one in sums]
    assert raw.scope.tolist() == sums
    assert raw.flags.tolist() == [[one + 1, one + 2] for one in sums]
    assert {raw.logits.dtype, raw.others.dtype} == {np.dtype(np.float64)}


def test_only_what_is_too_long_is_cut_in_the_middle_and_said_to_be() -> None:
    long = " ".join(f"w{number}" for number in range(1, 21))
    endless = "w1 " * 2000 + "w39"
    raw = asked(["w1", long, endless, " ".join(["w2"] * 16)], Session())
    assert raw.truncated == [False, True, True, False]
    assert raw.scope.tolist() == [1.0, sum(range(1, 13)) + sum(range(17, 21)), 15 + 39, 32]


@pytest.mark.parametrize("dropped", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_numbers_of_another_number_of_texts_are_a_model_error(dropped: Sequence[int]) -> None:
    with pytest.raises(ModelError, match="another number of texts"):
        asked(["w1", "w2"], Session(dropped))
