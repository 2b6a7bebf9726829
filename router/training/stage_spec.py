"""What the manifest says of a stage that we made."""

from __future__ import annotations

from collections.abc import Iterable

from router.model.manifest import StageSpec, Tensor


def spec_of(
    name: str,
    max_tokens: int,
    outputs: tuple[int, int],
    languages: Iterable[str] | None = None,
) -> StageSpec:
    """Of the stage ``name``, whose files are named after it; ``outputs`` are how many intents and
    flags it knows."""
    intents, flags = outputs
    free = Tensor("int64", ("batch", "tokens"))
    return StageSpec(
        name=name,
        graph=f"{name}.onnx",
        tokenizer=f"{name}-tokenizer.json",
        max_tokens=max_tokens,
        inputs={"input_ids": free, "attention_mask": free},
        outputs={
            "intent_logits": Tensor("double", ("batch", intents)),
            "scope_logit": Tensor("double", ("batch",)),
            "flag_logits": Tensor("double", ("batch", flags)),
        },
        languages=None if languages is None else tuple(sorted(languages)),
    )
