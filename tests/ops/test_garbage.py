"""The garbage collector of a worker."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, weakref
from router.ops import garbage

class Node: pass

garbage.settle()
assert gc.get_freeze_count() > 1_000
collections = gc.get_stats()[0]["collections"]
batch = [(number, {}) for number in range(20_000)]
assert gc.get_stats()[0]["collections"] == collections, "a batch is no reason to collect"
node = Node()
node.itself = node
gone = weakref.ref(node)
del node
kept = [[] for _ in range(150_000)]
assert gone() is None, "a cycle is found all the same"
"""


def test_a_batch_sets_off_no_collection_and_a_cycle_is_found_all_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
