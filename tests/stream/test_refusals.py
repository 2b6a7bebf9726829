"""A right that is denied is told as that; the brokers' own refusals are tried in tests/brokers."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from router.errors import DeniedError, StreamError
from router.stream.refusals import explained


def failure(*causes: BaseException) -> StreamError:
    """A failure with ``causes`` behind it, the nearest first."""
    made = StreamError("It failed.")
    error: BaseException = made
    for cause in causes:
        error.__cause__ = cause
        error = cause
    return made


@pytest.mark.parametrize(
    ("cause", "right"),
    [
        (TopicAuthorizationFailedError("t"), "READ on the input topics"),
        (GroupAuthorizationFailedError("g"), "READ on the group"),
        (TransactionalIdAuthorizationFailed(), "WRITE on its transactional ids"),
        (ClusterAuthorizationFailedError(), "WRITE on the output topics"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_right_that_is_denied_is_named_however_deep_it_lies(
    cause: BaseException, right: str
) -> None:
    told = explained(failure(RuntimeError("in between"), cause))
    assert isinstance(told, DeniedError)
    assert right in told.fix
    assert told.exit_code == StreamError.exit_code, "what did not finish must not be waited for"


def test_any_other_failure_stays_what_it_is() -> None:
    for error in (failure(), failure(KafkaConnectionError("gone"))):
        assert explained(error) is error
