from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.located_yaml import Place, YamlError, read_yaml


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a: no", "no"),
        ("a: NO", "NO"),
        ("a: on", "on"),
        ("a: 1:30", "1:30"),
        ("a: 007", "007"),
        ("a: 1e3", "1e3"),
        ("a: 2026-03-02", "2026-03-02"),
        ("a: 0x10", "0x10"),
        ("a: 99999999999999999999", "99999999999999999999"),
        ("a: '1'", "1"),
        ("a: true", True),
        ("a: 12", 12),
        ("a: -0.5", -0.5),
        ("a: null", None),
        ("a:", None),
        ("a: |\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_a_plain_value_surprises_nobody(source: str, value: Any) -> None:
    read = read_yaml(source).value["a"]
    assert read == value
    assert type(read) is type(value)


def test_values_and_keys_remember_their_places() -> None:
    document = read_yaml("a:\n  - b: 1\n    long: [x, y]\n")
    assert document.place(("a", 0, "long", 1)) == Place(3, 15)
    assert document.key_place(("a", 0, "long")) == Place(3, 5)
    assert document.place(("a", 0, "absent")) == Place(2, 5)


def test_a_key_given_twice_is_a_problem_at_its_second_place() -> None:
    document = read_yaml("a: {x: 1}\nb: 2\na: {x: 2}\n")
    (problem,) = document.problems
    assert problem.place == Place(3, 1)
    assert "line 1" in problem.message
    assert document.value == {"a": {"x": 1}, "b": 2}
    assert document.place(("a", "x")) == Place(1, 8)


@pytest.mark.parametrize(
    ("source", "words", "line"),
    [
        ("a: &x [1]\nb: *x", "aliases", 2),
        ("a: &x [*x]", "aliases", 1),
        ("a: !!python/name:os.system x", "tags", 1),
        ("a: !own {}", "tags", 1),
        ("a: 1\n---\nb: 1", "second document", 2),
        ("? [a]\n: b", "key", 1),
        ("[" * 10_000, "nested", 1),
        ("a: [1", "not YAML", 1),
        ("a: b: c", "not YAML", 1),
        ("x: 1\na: \x07", "control", 2),
        ('a: "\\UFFFFFFFF"', "not YAML", 1),
    ],
)
def test_what_the_dialect_leaves_out_is_refused_with_its_line(
    source: str, words: str, line: int
) -> None:
    with pytest.raises(YamlError, match=words) as raised:
        read_yaml(source)
    assert raised.value.problem.place.line == line


def test_nothing_at_all_reads_as_null() -> None:
    assert read_yaml("").value is None
    assert read_yaml("# nothing\n").value is None


TEXTS = st.recursive(
    st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below),
    max_leaves=10,
)


@settings(deadline=None)
@given(TEXTS)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert read_yaml(yaml.safe_dump(value, default_style='"')).value == value


@settings(deadline=None)
@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`,? \n\t\\"), max_size=40))
def test_any_text_is_read_or_refused(source: str) -> None:
    with suppress(YamlError):
        read_yaml(source)
