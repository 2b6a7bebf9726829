"""Which conversations are the canary's: always the same ones, and as many as its share says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.choosing import Model, ModelSet, in_share
from tests.core.policy_fixtures import StubModel

CONVERSATIONS = st.text()
SHARES = st.floats(0, 1)


@given(CONVERSATIONS)
def test_no_share_takes_none_and_the_whole_takes_all(conversation: str) -> None:
    assert not in_share(conversation, 0.0)
    assert in_share(conversation, 1.0)


@given(CONVERSATIONS, SHARES, SHARES)
def test_a_larger_share_keeps_the_conversations_of_a_smaller_one(
    conversation: str, one: float, other: float
) -> None:
    small, large = sorted((one, other))
    assert in_share(conversation, large) or not in_share(conversation, small)


@given(CONVERSATIONS, SHARES)
def test_a_conversation_is_of_the_same_side_under_every_set_with_that_share(
    conversation: str, share: float
) -> None:
    sets = [
        ModelSet(live=Model(StubModel()), canary=Model(StubModel()), share=share) for _ in range(2)
    ]
    assert {models.takes(conversation) for models in sets} == {in_share(conversation, share)}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 0.9])
def test_a_share_of_the_conversations_is_the_canarys(share: float) -> None:
    taken = sum(in_share(f"conversation-{number}", share) for number in range(20_000))
    assert taken / 20_000 == pytest.approx(share, abs=0.01)


def test_a_conversations_place_never_changes_between_releases() -> None:
    """Decisions that were made by the hash as it is now stand in logs."""
    assert [in_share("c1", share) for share in (0.5, 0.8162, 0.8163)] == [False, False, True]


def test_without_a_canary_nothing_is_its() -> None:
    assert not ModelSet(live=Model(StubModel()), share=1.0).takes("c1")


def test_what_is_in_force_no_more_is_closed_and_nothing_else() -> None:
    closed: list[str] = []

    def model(name: str) -> Model:
        return Model(StubModel(), close=lambda: closed.append(name))

    old, new, trial = model("old"), model("new"), model("trial")
    before = ModelSet(live=old, canary=trial, share=0.5)
    for close in before.closers(ModelSet(live=new, canary=trial, share=0.1)):
        close()
    assert closed == ["old"]
    for close in before.closers(ModelSet(live=old)):
        close()
    assert closed == ["old", "trial"]
