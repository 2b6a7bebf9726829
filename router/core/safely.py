"""A step for one record, whose fault is that record's alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from router.core.asking import OnFault
from router.core.event import Rejected
from router.core.record import InRecord

_Args = TypeVarTuple("_Args")
_Made = TypeVar("_Made")

_INTERNAL_ERROR = Rejected(
    "internal_error", "$", "The router failed on this record; its log says where."
)


class Safely:
    """Takes steps, and tells ``on_fault`` of those that raise."""

    def __init__(self, on_fault: OnFault) -> None:
        self.on_fault = on_fault

    def __call__(
        self, record: InRecord, step: Callable[[*_Args], _Made], *args: *_Args
    ) -> _Made | Rejected:
        """What ``step`` makes of ``args``, or that it failed on ``record``."""
        try:
            return step(*args)
        except Exception as error:  # whatever it is, it is this record's alone
            self.on_fault(str(record.source), error)
            return _INTERNAL_ERROR
