"""What a dead worker was at, read from its board."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.board import Board, Moment, Phase


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "board")


def test_another_process_sees_what_was_written_last(board: Board) -> None:
    board.join()
    board.begin(Phase.IN_COMMIT)
    assert Board(board.path).phase() is Phase.IN_COMMIT


def test_who_has_not_joined_is_starting_and_who_does_nothing_is_idle(board: Board) -> None:
    assert board.phase() is Phase.STARTING
    board.join()
    assert board.phase() is Phase.IDLE
    assert board.quiet


def test_of_several_phases_the_wanted_one_counts_else_what_is_nearest_to_the_commit(
    board: Board,
) -> None:
    board.join()
    for phase in (Phase.BEFORE_SEND, Phase.BEFORE_COMMIT, Phase.SENDING):
        board.begin(phase)
    assert board.phase() is Phase.BEFORE_COMMIT
    assert board.phase(Phase.BEFORE_SEND) is Phase.BEFORE_SEND
    assert board.phase(Phase.IDLE) is Phase.BEFORE_COMMIT
    board.end(Phase.BEFORE_COMMIT)
    assert board.phase() is Phase.SENDING


def test_it_holds_where_it_is_armed_and_nowhere_else(board: Board) -> None:
    board.arm(Phase.SENDING, Moment.THROUGH)
    assert board.holds(Phase.SENDING, Moment.THROUGH)
    assert not board.holds(Phase.SENDING, Moment.BEFORE)
    assert not board.holds(Phase.BEFORE_SEND, Moment.THROUGH)
    board.spring()
    assert board.sprung
    board.disarm()
    assert not board.holds(Phase.SENDING, Moment.THROUGH)


def test_a_new_process_finds_it_blank(board: Board) -> None:
    board.join()
    board.begin(Phase.SENDING)
    board.arm(Phase.SENDING, Moment.BEFORE)
    board.clear()
    assert board.phase() is Phase.STARTING
    assert not board.holds(Phase.SENDING, Moment.BEFORE)
