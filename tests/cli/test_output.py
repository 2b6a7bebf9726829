"""What is printed cannot be forged by what it prints, on a terminal or elsewhere."""

from __future__ import annotations

import io

import pytest

from router.cli import output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


NASTY = "a\x1b[31m[bold]\nb"


def test_a_table_is_lines_of_tabs_where_no_person_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_table(("name", "value"), [("x", NASTY)])
    assert capsys.readouterr().out == "name\tvalue\nx\ta [31m[bold] b\n"


def test_a_table_on_a_terminal_shows_markup_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "dumb")
    output.print_table(("name", "value"), [("x", NASTY)])
    assert "[bold] b" in terminal.getvalue()
    assert "\x1b[31m" not in terminal.getvalue()


def test_a_check_is_its_level_its_words_and_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_level("fail", "broker", NASTY, "Start it.")
    assert capsys.readouterr().out == "fail  broker: a [31m[bold] b\n      Start it.\n"


def test_json_keeps_what_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"name": "é\n"})
    assert capsys.readouterr().out == '{"name": "é\\n"}\n'
