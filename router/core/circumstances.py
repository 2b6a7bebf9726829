"""What the decisions of a batch have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from router.core.decision import Stage
from router.core.policy import Policy
from router.core.prediction import ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a batch's decisions share. ``languages`` and ``model_flags`` are the model's, None and
    none where there is no model to ask. ``timings`` may still be filled in until the decision is
    written out."""

    policy: Policy
    model: ModelRef | None
    languages: frozenset[str] | None
    decided_at: datetime
    timings: Mapping[Stage, float]
    router_version: str
    model_flags: frozenset[str] = frozenset()
