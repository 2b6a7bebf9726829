"""A short form of ``make fuzz``, and that the fuzzing would notice."""

from __future__ import annotations

import pytest

from router.core import batch_reading
from router.core import line as core_line
from router.core.event import Rejected
from tests.fuzz.__main__ import main
from tests.fuzz.oracle import Oracle
from tests.fuzz.records import record
from tests.fuzz.tally import fuzz

RECORDS = 10_000
SEED = 20_260_302


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


def test_every_record_has_exactly_one_outcome_and_half_of_them_a_decision(oracle: Oracle) -> None:
    tally = fuzz(oracle, SEED, range(RECORDS))
    assert tally.good, "\n".join(tally.lines())
    reasons = {reason for _, reason in tally.outcomes}
    assert reasons >= {
        *("intent", "flag", "low_confidence", "language", "empty", "model_unavailable"),
        *("not_customer", "auto_reply", "too_large", "null_value", "not_utf8", "not_json"),
        *("lone_surrogate", "too_deep", "number_out_of_range", "not_an_object", "missing_field"),
        *("wrong_type", "invalid_value", "unknown_schema", "unsupported_content_type", "bad_mime"),
    }
    assert "internal_error" not in reasons


def test_a_record_is_the_same_whenever_it_is_made() -> None:
    assert [record(SEED, n) for n in range(50)] == [record(SEED, n) for n in range(50)]
    assert record(SEED, 1) != record(SEED + 1, 1)


def test_a_step_that_raises_is_noticed(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(batch_reading, "clean", fail)
    tally = fuzz(oracle, SEED, range(10))
    assert tally.unexpected > 0
    assert not tally.good


def test_a_panic_that_is_no_exception_is_noticed(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicException(BaseException):
        """A Rust library's."""

    def panic(*_: object) -> None:
        raise PanicException

    monkeypatch.setattr(core_line, "parse_event", panic)
    assert "PanicException" in oracle.alone(record(SEED, 1))[2]


def test_a_record_that_is_lost_or_refused_for_our_own_fault_is_noticed(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Rejected("internal_error", "$", "x")
    monkeypatch.setattr(core_line, "parse_event", lambda *_: ours)
    assert oracle.alone(record(SEED, 1))[2] == "internal_error"
    monkeypatch.setattr(core_line.Line, "route", lambda *_: [])
    assert oracle.alone(record(SEED, 1))[2] == "0 outcomes"


def test_the_command_tells_its_seed_and_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--records", "64", "--seed", "7", "--processes", "1"]) == 0
    out = capsys.readouterr().out
    assert "seed 7" in out
    assert "unexpected outcomes: 0" in out
