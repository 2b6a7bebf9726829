from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.dead_letter_file import Edited, mended_value, read_line, write_line
from router.core.dead_letters import read_dead_letter
from router.core.record import InRecord, Source

AT = Source("router.dead-letter", 0, 17)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(st.text(), json_values, max_size=4).map(
    lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")
)
values = (
    st.none() | st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")) | objects
)


def exported(value: bytes | None) -> str:
    return write_line(read_dead_letter(InRecord(AT, None, value, (), 0.0)), value)


def taken_back(line: str) -> Edited:
    edited = read_line(line.encode())
    assert isinstance(edited, Edited), edited
    return edited


@given(values)
def test_a_line_that_nobody_edited_gives_the_same_bytes_back(value: bytes | None) -> None:
    line = exported(value)
    assert "\n" not in line
    edited = taken_back(line)
    assert edited.at == AT
    assert mended_value(edited, value) == value


@pytest.mark.parametrize(
    "value",
    [
        b'{"text":"half a pair \\ud83d"}',
        b'{"n":123456789012345678901234567890}',
        b'{"n":1e999}',
        b'{"n":NaN}',
        '{"text":"grüezi"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"text":"a mark before"}',
        b'{"a":' * 3000,
    ],
)
def test_odd_values_come_back_byte_for_byte(value: bytes) -> None:
    assert mended_value(taken_back(exported(value)), value) == value


def test_an_object_is_edited_as_an_object() -> None:
    value = '{"event_id":"e","tide":"now","text":"grüezi"}'.encode()
    given_line = json.loads(exported(value))
    assert given_line["event"]["text"] == "grüezi"
    given_line["event"]["time"] = given_line["event"].pop("tide")
    mended = mended_value(taken_back(json.dumps(given_line)), value)
    assert json.loads(mended or b"") == {"event_id": "e", "time": "now", "text": "grüezi"}


def test_true_for_one_is_an_edit() -> None:
    line = exported(b'{"a":1}').replace('"a": 1', '"a": true')
    assert mended_value(taken_back(line), b'{"a":1}') == b'{"a": true}'


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ('{"value":"x"}', "dead_letter must be"),
        ('{"dead_letter":"a/b/c","value":"x"}', "dead_letter must be"),
        ('{"dead_letter":"a/0/1"}', "one of event, value, value_base64"),
        ('{"dead_letter":"a/0/1","value":"x","event":{}}', "one of event, value"),
        ('{"dead_letter":"a/0/1","event":[]}', "event must be an object"),
        ('{"dead_letter":"a/0/1","value":7}', "value must be a string"),
        ('{"dead_letter":"a/0/1","value_base64":"?"}', "value must be a string"),
        ('{"dead_letter":"a/0/1","value_base64":7}', "value must be a string"),
        ('{"dead_letter":"a/0/1","event":{"n":1e999}}', "numbers finite"),
        ('{"dead_letter":"a/0/1","value":"\\ud83d"}', "value must be a string"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(line: str, problem: str) -> None:
    assert problem in str(read_line(line.encode()))


@given(st.binary())
def test_any_line_is_an_edit_or_a_sentence(line: bytes) -> None:
    assert isinstance(read_line(line), Edited | str)
