from __future__ import annotations

from pathlib import Path

from router.training.examples import Example, read_split, write_split


def test_examples_are_read_back_with_their_language_and_flags(tmp_path: Path) -> None:
    examples = [
        Example("meine Karte fehlt", "card_arrival", "de"),
        Example("stolen, and\nI complain", "lost_card", flags=("fraud", "complaint")),
    ]
    write_split(tmp_path / "new" / "part.csv", examples)
    assert read_split(tmp_path / "new" / "part.csv") == examples


def test_plain_english_examples_are_written_in_two_columns(tmp_path: Path) -> None:
    write_split(tmp_path / "part.csv", [Example("a fee", "fees")])
    assert (tmp_path / "part.csv").read_text() == "text,label\na fee,fees\n"
    assert read_split(tmp_path / "part.csv") == [Example("a fee", "fees")]
