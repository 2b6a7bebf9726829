"""Every error a user can meet: what is wrong, what to do about it, and the exit code.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 and above something outside failed: 3 the
broker, 4 the model, 5 the stream could not go on, 6 the drain took too long, 7 the watchdog.
"""

from __future__ import annotations


class RouterError(Exception):
    """Base of the project's errors. ``fix`` tells the reader what to do next."""

    exit_code = 3

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem} {self.fix}".rstrip()


class UsageError(RouterError):
    """The command, a setting or an input file is wrong: the caller can mend it."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is missing, malformed or contradicts another."""


class PolicyError(UsageError):
    """The policy file breaks its schema or names something that does not exist."""


class BrokerError(RouterError):
    """The broker cannot be reached, refuses us, or lacks a topic or a feature we need."""

    exit_code = 3


class RefusedError(BrokerError):
    """The broker answers and does not let us in: to try again is of no use."""


class BundleError(RouterError):
    """A model bundle is missing, malformed or fails its hashes; it is never loaded."""

    exit_code = 4


class ModelError(RouterError):
    """A loaded model failed to answer."""

    exit_code = 4


class StreamError(RouterError):
    """The stream cannot go on without risking a message: leave, and replay on restart."""

    exit_code = 5


class DrainTimeout(StreamError):  # noqa: N818  # a timeout, as in TimeoutError
    """A batch in flight did not finish within the shutdown's deadline."""

    exit_code = 6


class StuckError(StreamError):
    """Records wait and none was decided for ``ROUTER_WATCHDOG`` seconds, twice over: restart."""

    exit_code = 7


class DeniedError(StreamError):
    """The broker denies a right that the work needs; its administrator can give it."""

    exit_code = 5


class ExpiredError(StreamError):
    """What was to be read next is no longer in its topic: nobody decided it, and nobody will."""

    exit_code = 5
