"""What the nodes are told, where a mistake would show once in a while."""

from __future__ import annotations

import uuid

import pytest

from tests.kafka import config


def test_no_cluster_id_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0xF8 << 120))
    assert len(config.new_cluster_id()) == 22
    assert not config.new_cluster_id().startswith("-")
