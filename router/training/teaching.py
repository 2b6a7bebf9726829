"""What a bundle's stages say of many texts: the lesson of a stage that is distilled from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from router.model.bundle import Bundle
from router.model.shares import Shares
from router.model.stage import Stage, open_stage
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
    found: dict[int, tuple[Floats, Floats]] = {}
    for stage in stages_of(bundle).values():
        mine = [
            index
            for index, text in enumerate(texts)
            if index not in found and stage.spec.reads(text.language)
        ]
        shares = Shares(bundle.calibrations[stage.spec.name], bundle.flags)
        for start in range(0, len(mine), _CHUNK):
            some = mine[start : start + _CHUNK]
            raw = stage.ask([texts[index].text for index in some])
            fits = shares.fits([texts[index].language for index in some])
            rows = shares.intents(raw.logits, fits), shares.others(raw.others, fits)
            found |= zip(some, zip(*rows, strict=True), strict=True)
            tell(f"{stage.spec.name}: {start + len(some)} of {len(mine)} texts")
    intents, others = (
        np.array(rows, np.float32)
        for rows in zip(*(found[index] for index in range(len(texts))), strict=True)
    )
    return Answers(intents, others[:, 0], others[:, 1:])
