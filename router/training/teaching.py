"""What a bundle's stages say of many texts: the lesson of a stage that is distilled from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from router.core.calibration import platt, tempered
from router.model.bundle import Bundle
from router.model.stage import Raw, Stage, open_stage
from router.training.batches import padded
from router.training.examples import Example
from router.training.finetune import Tell
from router.training.static import Answers, Floats

_CHUNK = 256
_PIECES = 64
_OUTPUTS = ("intent_logits", "scope_logit", "flag_logits")


def stages_of(bundle: Bundle) -> dict[str, Stage]:
    """The stages of ``bundle`` by name, in order."""
    return {
        spec.name: open_stage(spec, bundle.files[spec.graph], bundle.files[spec.tokenizer], 1)
        for spec in bundle.manifest.stages
    }


def numbers_of_pieces(bundle: Bundle, tokenizer: Tokenizer, tell: Tell) -> Floats:
    """The last stage's raw numbers for each piece of its vocabulary alone, between the tokens that
    begin and end a text: intents, scope and flags side by side."""
    graph = bundle.files[bundle.manifest.stages[-1].graph]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    begin, *_, end = tokenizer.encode("a").ids
    size = tokenizer.get_vocab_size()
    found = []
    for start in range(0, size, _PIECES):
        rows = [(begin, piece, end) for piece in range(start, min(size, start + _PIECES))]
        ids, mask = padded(rows)
        intents, scope, flags = session.run(_OUTPUTS, {"input_ids": ids, "attention_mask": mask})
        found.append(np.column_stack((intents, scope, flags)))
        if start % (100 * _PIECES) == 0:
            tell(f"{start + len(rows)} of {size} pieces")
    return np.concatenate(found).astype(np.float32)


def answers_of(bundle: Bundle, texts: Sequence[Example], tell: Tell) -> Answers:
    """The calibrated answers of ``bundle`` to ``texts``, each by the stage that reads its language.

    A bundle without a cascade: each language's first stage answers all of it.
    """
    found: dict[int, tuple[Floats, float, list[float]]] = {}
    for stage in stages_of(bundle).values():
        mine = [
            index
            for index, text in enumerate(texts)
            if index not in found and stage.spec.reads(text.language)
        ]
        for start in range(0, len(mine), _CHUNK):
            some = mine[start : start + _CHUNK]
            rows = stage.ask([texts[index].text for index in some]).rows
            for index, raw in zip(some, rows, strict=True):
                found[index] = _answer(bundle, stage.spec.name, raw, texts[index].language)
            tell(f"{stage.spec.name}: {start + len(some)} of {len(mine)} texts")
    intents, scope, flags = zip(*(found[index] for index in range(len(texts))), strict=True)
    return Answers(
        np.array(intents, np.float32), np.array(scope, np.float32), np.array(flags, np.float32)
    )


def _answer(
    bundle: Bundle, stage: str, raw: Raw, language: str
) -> tuple[Floats, float, list[float]]:
    calibration = bundle.calibrations[stage]
    of: Mapping[str, tuple[float, float]] = calibration.flags
    fitted = calibration.of(language)
    return (
        tempered(raw.logits, fitted.temperature).astype(np.float32),
        platt(raw.scope, fitted.scope_a, fitted.scope_b),
        [platt(logit, *of[flag]) for flag, logit in zip(bundle.flags, raw.flags, strict=True)],
    )
