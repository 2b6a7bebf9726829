from __future__ import annotations

from router.training.e5_file import Pieces
from router.training.vocabulary import kept, tokenizer_of

PIECES = Pieces(
    texts=("<s>", "<pad>", "</s>", "<unk>", "\u2581card", "\u2581", "c", "a", "r", "d", "\u2581ca"),
    scores=(0.0, 0.0, 0.0, 0.0, -1.0, -3.0, -4.0, -4.0, -4.0, -4.0, -2.0),
    begin=0,
    end=2,
    pad=1,
    unknown=3,
)


def test_a_text_stands_between_begin_and_end() -> None:
    assert tokenizer_of(PIECES).encode("card").tokens == ["<s>", "\u2581card", "</s>"]


def test_spaces_and_full_width_letters_are_made_alike() -> None:
    tokenizer = tokenizer_of(PIECES)
    assert tokenizer.encode("\uff43ard   card").ids == tokenizer.encode("card card").ids


def test_without_a_piece_its_word_is_cut_smaller_and_the_ids_are_new() -> None:
    ids = [number for number, text in enumerate(PIECES.texts) if text != "\u2581card"]
    fewer = kept(PIECES, ids)
    assert fewer.texts == tuple(text for text in PIECES.texts if text != "\u2581card")
    assert (fewer.begin, fewer.end, fewer.pad, fewer.unknown) == (0, 2, 1, 3)
    tokens = tokenizer_of(fewer).encode("card").tokens
    assert tokens == ["<s>", "\u2581ca", "r", "d", "</s>"]
