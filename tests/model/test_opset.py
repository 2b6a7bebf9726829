"""The operator set is read from a graph's bytes as the `onnx` package reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from router.model.manifest import MANIFEST, parse_manifest
from router.model.opset import opset_of


def model(*opsets: tuple[str, int]) -> bytes:
    graph = helper.make_graph([], "none", [], [])
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets]
    made = helper.make_model(graph, opset_imports=imports, producer_name="a test", doc_string="x")
    content: bytes = made.SerializeToString()
    return content


@given(st.integers(1, 2**40))
def test_the_version_is_the_one_that_was_written(version: int) -> None:
    assert opset_of(model(("", version))) == version


def test_other_domains_are_stepped_over() -> None:
    assert opset_of(model(("com.microsoft", 1), ("ai.onnx", 17), ("other", 3))) == 17
    assert opset_of(model(("com.microsoft", 1))) is None


def test_the_live_bundles_graphs_have_the_manifests_version(live_folder: Path) -> None:
    manifest = parse_manifest((live_folder / MANIFEST).read_bytes(), live_folder / MANIFEST)
    for stage in manifest.stages:
        assert opset_of((live_folder / stage.graph).read_bytes()) == manifest.opset


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_without_an_error(content: bytes) -> None:
    found = opset_of(content)
    assert found is None or found >= 0


@pytest.mark.parametrize("length", range(1, 40))
def test_a_graph_that_is_cut_short_is_no_error(length: int) -> None:
    assert opset_of(model(("", 17))[:-length]) in {None, 17}
