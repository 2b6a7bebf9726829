"""A value is a frozen dataclass in all but the price."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson
import pytest

from router.core.values import value


@value(frozen=True, slots=True, kw_only=True)
class Made:
    name: str
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    name: str
    number: int = 1


def test_equal_values_are_equal_and_one_key_of_a_dictionary() -> None:
    assert Made(name="a") == replace(Made(name="b"), name="a")
    assert Made(name="a") != Made(name="a", number=2)
    assert len({Made(name="a"), Made(name="a"), Made(name="b")}) == 2


def test_a_value_is_hashed_shown_and_written_as_a_frozen_one() -> None:
    made, frozen = Made(name="a"), Frozen(name="a")
    assert hash(made) == hash(frozen)
    assert repr(made) == repr(frozen).replace("Frozen", "Made")
    assert orjson.dumps(made) == orjson.dumps(frozen)


def test_a_value_has_no_room_for_more_than_its_fields() -> None:
    with pytest.raises(AttributeError):
        setattr(Made(name="a"), "other", 1)  # noqa: B010  # the type checker refuses the other form
