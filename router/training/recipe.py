"""What a training run is told: every number that shapes it, kept beside its result."""

from __future__ import annotations

from dataclasses import dataclass

from router.training.backbones import Name, Teacher


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """``encoder`` is a backbone's name, of whose layers ``layers`` stay. ``epochs`` 0 keeps it as
    it came and fits the heads alone. ``start`` is the SHA-256 of the weights that it starts from
    instead, those of another run. With ``whole`` it learns from the held-out part too.

    A label's share of what is learnt of a text's intent is 1 less ``taught``; the rest is what
    ``teachers`` say, where there are any.

    ``rate`` and ``head_rate`` are AdamW's at their peak, after ``warmup`` (a share of the steps)
    and before a straight way down to nothing. ``own`` and ``foreign`` are the CLINC150 texts of
    each scope that an epoch draws anew.
    """

    encoder: Name = "minilm"
    layers: int = 6
    start: str = ""
    whole: bool = False
    teachers: tuple[Teacher, ...] = ()
    taught: float = 0.5
    epochs: int = 6
    seed: int = 7
    batch: int = 32
    rate: float = 8e-5
    head_rate: float = 5e-4
    warmup: float = 0.08
    decay: float = 0.01
    dropout: float = 0.1
    smoothing: float = 0.1
    scope_weight: float = 0.3
    flags_weight: float = 1.0
    own: int = 500
    foreign: int = 1300
    max_tokens: int = 128
