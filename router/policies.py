"""Where policies come from: files, read and checked against the schemas that ship with us."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson

from router.core.policy import Policy
from router.core.policy_file import load_policy
from router.core.schema_problems import FileSchema
from router.errors import PolicyError
from router.resources import DEFAULT_POLICY, SCHEMAS


def open_policy(path: str | Path = "") -> Policy:
    """The policy in the file at ``path``; empty is the default policy.

    Raises:
        PolicyError: the file cannot be read, or something in it is wrong; the message has a line
            for each problem.
    """
    path = Path(path) if path else DEFAULT_POLICY
    return load_policy(read_file(path), str(path), file_schema("routing-policy.v1"))


def read_file(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        PolicyError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}.") from None


@cache
def file_schema(name: str) -> FileSchema:
    """A schema of ``schemas/`` by name, for files that people write."""
    return FileSchema(orjson.loads((SCHEMAS / f"{name}.json").read_bytes()))
