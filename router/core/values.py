"""``value``: a dataclass that the type checker keeps frozen, and that costs no more for it.

At run time ``frozen=True`` sets each field through ``object.__setattr__``, which makes a value of
twenty fields eight times as dear; of these every record makes dozens. That nobody sets a field is
what mypy says in any case. Equality and hash are those of a frozen dataclass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, slots=False, kw_only=False):
        """``dataclass`` with these options; ``frozen`` is the type checker's."""
        return dataclass(unsafe_hash=frozen, slots=slots, kw_only=kw_only)


__all__ = ["value"]
