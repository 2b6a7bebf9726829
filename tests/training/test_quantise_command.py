"""`router model quantise` as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the extra `train` is not installed")

from router.cli.main import run
from tests.training.encoders import encoder

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.onnx"
    path.write_bytes(encoder().SerializeToString())
    return path


def test_people_are_told_what_changed_and_by_how_much(
    graph: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "new" / "int8.onnx"
    assert run(["model", "quantise", str(graph), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "MatMul and Gemm in int8\t5\n" in printed.out
    assert "scope_logit: largest difference to float32\t" in printed.out
    assert "warn" not in printed.out
    assert out.stat().st_size > 0
    assert str(out) in printed.err


def test_machines_get_one_json_object(graph: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "int8.onnx"
    assert run(["model", "quantise", str(graph), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["products"], told["tables"], told["not_compared"]) == (5, 0, None)
    assert told["bytes"] == {"before": graph.stat().st_size, "after": out.stat().st_size}
    assert (
        set(told["difference"]) == {"intent_logits", "scope_logit"} == set(told["batch_difference"])
    )


def test_a_graph_that_mixes_its_rows_is_written_with_a_warning(
    tmp_path: Path, capsys: Captured
) -> None:
    mixing = encoder()
    mixing.graph.node[10].attribute[0].i = 0  # a softmax over the batch
    path = tmp_path / "mixing.onnx"
    path.write_bytes(mixing.SerializeToString())
    assert run(["model", "quantise", str(path), "--out", str(tmp_path / "int8.onnx")]) == 0
    assert "a text's answer depends on its batch" in capsys.readouterr().out


def test_a_graph_that_cannot_be_asked_is_written_and_said_so(
    tmp_path: Path, capsys: Captured
) -> None:
    fixed = encoder()
    fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    path, out = tmp_path / "fixed.onnx", tmp_path / "int8.onnx"
    path.write_bytes(fixed.SerializeToString())
    assert run(["model", "quantise", str(path), "--out", str(out)]) == 0
    assert "the graphs were not compared: it is no encoder" in capsys.readouterr().out
    assert out.is_file()


def test_a_file_that_is_there_is_not_written_over(graph: Path, capsys: Captured) -> None:
    before = graph.read_bytes()
    assert run(["model", "quantise", str(graph), "--out", str(graph)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert graph.read_bytes() == before


def test_what_cannot_be_quantised_is_wrong_usage_and_nothing_is_written(
    tmp_path: Path, capsys: Captured
) -> None:
    path, out = tmp_path / "notes.onnx", tmp_path / "int8.onnx"
    path.write_text("not a graph")
    assert run(["model", "quantise", str(path), "--out", str(out)]) == 2
    assert "is no ONNX model" in capsys.readouterr().err
    assert not out.exists()


def test_without_onnx_it_says_how_to_get_it(
    graph: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.training.extra.find_spec", lambda _: None)
    assert run(["model", "quantise", str(graph), "--out", str(tmp_path / "o.onnx")]) == 2
    error = capsys.readouterr().err
    assert "needs onnx, not installed" in error
    assert "pip install 'router[train]'" in error
