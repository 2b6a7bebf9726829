"""The cyclic garbage collector of a process that makes many short-lived values.

A batch is thousands of tuples and small objects, none of them in a cycle. By default each few
hundred of them set off a young collection, and now and then one that walks all that the libraries
made at start; together a third of what routing a record costs.
"""

from __future__ import annotations

import gc

_YOUNG = 100_000
"""Objects between two young collections: more than there are of what was fetched and waits."""

_MIDDLE, _OLD = 20, 50
"""Young collections before a middle one, and middle ones before one of all."""


def settle() -> None:
    """Once all is loaded: what is there now is there to stay, and is walked no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
