"""Files of labelled texts, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.errors import UsageError
from router.model.labelled import read_labelled


def test_a_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    csv, lines = tmp_path / "rows.csv", tmp_path / "rows.jsonl"
    csv.write_text('text,label,language,flags\n"a, b",fees,de,fraud complaint\nc,fees,,\n')
    lines.write_text(
        '{"text": "a, b", "label": "fees", "language": "de", "flags": ["fraud", "complaint"]}\n'
        '\n{"text": "c", "label": "fees", "flags": []}\n'
    )
    assert read_labelled(csv) == read_labelled(lines)
    assert [row.language for row in read_labelled(csv)] == ["de", "en"]
    assert [row.flags for row in read_labelled(csv)] == [("fraud", "complaint"), ()]


def test_a_row_that_names_no_language_has_the_callers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label,language\nx,fees,\ny,fees,de\n")
    assert [row.language for row in read_labelled(tmp_path / "a.csv", "pl")] == ["pl", "de"]


def test_without_the_column_nobody_has_told_the_flags(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nx,fees\n")
    assert read_labelled(tmp_path / "a.csv")[0].flags is None


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbftext,label\nx,fees\n")
    assert read_labelled(tmp_path / "a.csv")[0].text == "x"


@pytest.mark.parametrize("between", [" ", ";", ", ", "|", " ; "])
def test_flags_of_a_csv_may_stand_apart_in_several_ways(tmp_path: Path, between: str) -> None:
    (tmp_path / "a.csv").write_text(f'text,label,flags\nx,fees,"fraud{between}vulnerable"\n')
    assert read_labelled(tmp_path / "a.csv")[0].flags == ("fraud", "vulnerable")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"text,category\nx,y\n", r"row 1 \(line 2\), column label: there is no label"),
        ("a.csv", b'text,label\n"x\ny",z\nx\n', r"row 2 \(line 4\), column label"),
        ("a.csv", b"text,label\nx, \n", "column label: it is empty"),
        ("a.csv", b"text,label\nx,y,z\n", "row 1 .* more values than columns"),
        ("a.csv", b"text,label,language\nx,y,English\n", "row 1 .* column language"),
        ("a.csv", b"text,label,flags\nx,y,\xc3\xa9t\xc3\xa9!\n", "row 1 .* column flags"),
        ("a.csv", b"", "holds no rows"),
        ("a.csv", b"text,label\n\xff,y\n", "cannot be read"),
        ("a.jsonl", b'{"text": "x", "label": 3}\n', "row 1, column label: there is no label"),
        ("a.jsonl", b'{"text": "x", "label": "y", "flags": [1]}\n', "row 1, column flags"),
        ("a.jsonl", b'{"text": "x", "label": "y", "flags": 1}\n', "row 1, column flags"),
        ("a.jsonl", b'{"text": "x", "label": "y", "language": 7}\n', "row 1, column language"),
        ("a.jsonl", b'{"text": "x", "label": "y"}\n[]\n', "row 2 is no JSON object"),
        ("a.jsonl", b"{\n", "row 1 is no JSON object"),
    ],
)
def test_a_file_that_is_no_labelled_data_is_refused_saying_where(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=problem) as refused:
        read_labelled(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


def test_an_error_never_repeats_a_value(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label,language,text,flags\ny,my card is lost,x,\n")
    with pytest.raises(UsageError) as refused:
        read_labelled(tmp_path / "a.csv")
    assert "my card" not in str(refused.value)
