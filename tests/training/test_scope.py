"""Which of CLINC150's intents teach what."""

from __future__ import annotations

import itertools

from router.training.examples import Example
from router.training.scope import BANK_BUSINESS, UNDECIDED, heldout_intents, scope_data

NAMES = [f"intent_{n}" for n in range(60)]


def _clinc() -> list[Example]:
    own = [name for names in BANK_BUSINESS.values() for name in names]
    undecided = [name for names in UNDECIDED.values() for name in names]
    return [Example(f"{name} said", name) for name in (*own, *undecided, *NAMES)]


def test_no_intent_is_sorted_twice() -> None:
    names = [n for groups in (BANK_BUSINESS, UNDECIDED) for names in groups.values() for n in names]
    assert len(names) == len(set(names))


def test_a_banks_business_is_never_taught_as_foreign_and_the_undecided_not_at_all() -> None:
    data = scope_data(_clinc())
    own = {e.label for e in (*data.own, *data.calibration_own, *data.heldout_own)}
    foreign = {e.label for e in (*data.foreign, *data.calibration_foreign, *data.heldout_foreign)}
    assert own == {name for names in BANK_BUSINESS.values() for name in names}
    assert foreign == set(NAMES)


def test_what_is_held_out_shares_no_intent_with_what_is_taught() -> None:
    data = scope_data(_clinc())
    parts = [
        {e.label for e in (*own, *foreign)}
        for own, foreign in (
            (data.own, data.foreign),
            (data.calibration_own, data.calibration_foreign),
            (data.heldout_own, data.heldout_foreign),
        )
    ]
    assert all(parts)
    assert not any(one & other for one, other in itertools.combinations(parts, 2))
    assert set(heldout_intents(_clinc())) == parts[2]


def test_out_of_scope_texts_about_money_are_dropped() -> None:
    oos = [Example("what is a fair overdraft fee", "oos"), Example("how do geese sleep", "oos")]
    data = scope_data(oos)
    kept = (*data.foreign, *data.calibration_foreign, *data.heldout_foreign)
    assert [e.text for e in kept] == ["how do geese sleep"]
