"""XLM-R's vocabulary cut down to the pieces that the supported languages use.

Which they are is counted on word lists with frequencies (the package wordfreq; Speer 2022), each
word as it is and with a capital, in every language alike. Single characters stay as far as they
occur there, so that no word of these languages becomes unknown: one that needs a piece that is
gone is cut into smaller ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from router.training.e5_file import Pieces

WORDS_EACH = 80_000
"""Most frequent words of each language that are counted."""

_CAPITAL = 0.3
"""A word's frequency with a capital, as a share of its own."""

_SPACE = "\u2581"


def tokenizer_of(pieces: Pieces) -> Tokenizer:
    """The Unigram tokenizer of ``pieces``: NFKC, spaces joined, a text between begin and end."""
    tokenizer = Tokenizer(
        models.Unigram(
            list(zip(pieces.texts, pieces.scores, strict=True)),
            unk_id=pieces.unknown,
            byte_fallback=False,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement=_SPACE, prepend_scheme="always", split=False
    )
    begin, end = pieces.texts[pieces.begin], pieces.texts[pieces.end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, pieces.begin), (end, pieces.end)]
    )
    return tokenizer


def most_used(pieces: Pieces, languages: Sequence[str], size: int) -> list[int]:
    """Ids of the ``size`` pieces to keep, in their order; the special ones are among them."""
    tokenizer = tokenizer_of(pieces)
    share: Counter[int] = Counter()
    for language in languages:
        counted = Counter[int]()
        for text, frequency in _forms(language):
            for piece in tokenizer.encode(text, add_special_tokens=False).ids:
                counted[piece] += frequency  # type: ignore[assignment]  # a share, not a count
        total = sum(counted.values())
        for piece, frequency in counted.items():
            share[piece] += frequency / total  # type: ignore[assignment]  # as above
    special = {pieces.begin, pieces.end, pieces.pad, pieces.unknown}
    characters = {piece for piece in share if len(pieces.texts[piece].strip(_SPACE)) <= 1}
    return sorted(_first(size, [*special, *characters], [p for p, _ in share.most_common()]))


def kept(pieces: Pieces, ids: Sequence[int]) -> Pieces:
    """``pieces`` with those of ``ids`` alone, numbered anew in that order."""
    place = {piece: number for number, piece in enumerate(ids)}
    return Pieces(
        tuple(pieces.texts[piece] for piece in ids),
        tuple(pieces.scores[piece] for piece in ids),
        place[pieces.begin],
        place[pieces.end],
        place[pieces.pad],
        place[pieces.unknown],
    )


def _forms(language: str) -> Iterable[tuple[str, float]]:
    from wordfreq import top_n_list, word_frequency  # noqa: PLC0415 - heavy: only when training

    for word in top_n_list(language, WORDS_EACH):
        frequency = word_frequency(word, language)
        yield word, frequency
        yield word.capitalize(), frequency * _CAPITAL


def _first(size: int, musts: Iterable[int], others: Iterable[int]) -> set[int]:
    chosen = set(musts)
    for piece in others:
        if len(chosen) >= size:
            break
        chosen.add(piece)
    return chosen
