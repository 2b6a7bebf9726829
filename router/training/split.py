"""The fixed split of the training file: the same texts give the same split on any machine.

The rule: texts whose words are alike (Jaccard 0.8 or more, chained) form a group; a group counts
under its first text's label; within a label the groups stand in the order of the SHA-256 of a
salt and their first text; the held-out part takes groups from the front until it has a fifth of
the label's texts, then the calibration part until it has a tenth of the rest. "First" is
alphabetical, so the order of the file does not matter.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from router.training.examples import Example
from router.training.neighbours import similar_groups

SALT = "router-split-1"
HELDOUT_SHARE = 0.2
CALIBRATION_SHARE = 0.1
"""Of what the held-out part leaves."""
SIMILAR = 0.8


@dataclass(frozen=True, slots=True)
class Split:
    train: tuple[Example, ...]
    calibration: tuple[Example, ...]
    heldout: tuple[Example, ...]

    def whole(self) -> Split:
        """Nothing held out: for the run that ships, whose figures its like with a split gave."""
        return Split(train=(*self.train, *self.heldout), calibration=self.calibration, heldout=())


def split_examples(examples: Sequence[Example]) -> Split:
    """Cut ``examples`` into three by the rule above; every example lands in exactly one."""
    ordered = sorted(examples, key=lambda e: (e.text, e.label))
    by_label: dict[str, list[list[Example]]] = defaultdict(list)
    for group in similar_groups([e.text for e in ordered], SIMILAR):
        members = [ordered[index] for index in group]
        by_label[members[0].label].append(members)
    parts: tuple[list[Example], list[Example], list[Example]] = ([], [], [])
    for label in sorted(by_label):
        groups = sorted(by_label[label], key=lambda members: _rank(members[0].text))
        for part, chosen in zip(parts, _cut(groups), strict=True):
            part.extend(chosen)
    heldout, calibration, train = (tuple(part) for part in parts)
    return Split(train=train, calibration=calibration, heldout=heldout)


def _rank(text: str) -> str:
    return hashlib.sha256(f"{SALT}:{text}".encode()).hexdigest()


def _cut(groups: list[list[Example]]) -> tuple[list[Example], list[Example], list[Example]]:
    total = sum(map(len, groups))
    heldout: list[Example] = []
    calibration: list[Example] = []
    train: list[Example] = []
    for group in groups:
        if len(heldout) < HELDOUT_SHARE * total:
            heldout.extend(group)
        elif len(calibration) < CALIBRATION_SHARE * (total - len(heldout)):
            calibration.extend(group)
        else:
            train.extend(group)
    return heldout, calibration, train
