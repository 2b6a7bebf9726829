"""The file of dead letters that a person mends: written for them alone, and read back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from router.core.dead_letter_file import Edited, read_line, write_line
from router.core.record import Source
from router.core.replaying import Standing
from router.errors import UsageError


@dataclass(slots=True)
class Export:
    """``written`` lines; ``gone`` are dead letters whose event is no more to be had whole."""

    file: TextIO
    limit: int | None
    written: int = 0
    gone: int = 0

    def add(self, standing: Standing) -> None:
        """Write one that waits; one that was sent again already is left out."""
        self.gone += standing.state == "gone"
        if standing.event is None or self.written == self.limit:
            return
        self.file.write(write_line(standing.letter, standing.event.value) + "\n")
        self.written += 1


@contextmanager
def exporting(path: Path, limit: int | None) -> Iterator[Export]:
    """A new file that only its owner reads; gone again where the block does not end well.

    Raises:
        UsageError: it exists, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists already.", "Give another name.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield Export(file, limit)
    except BaseException:
        path.unlink(missing_ok=True)  # half of it would look like all
        raise


def read_edits(path: Path) -> dict[Source, Edited]:
    """The mended dead letters of a file.

    Raises:
        UsageError: it cannot be read, or a line is malformed; names the line.
    """
    edits: dict[Source, Edited] = {}
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                edited = read_line(line)
                if isinstance(edited, str):
                    raise UsageError(f"{path}, line {number}: {edited}.")
                if edited.at in edits:
                    raise UsageError(f"{path}, line {number}: {edited.at} stands there twice.")
                edits[edited.at] = edited
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    return edits
