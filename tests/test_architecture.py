"""Imports point one way, the core does no I/O, and heavy libraries stay where they belong.

Read from the source, so that an import inside a function counts too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import router

PACKAGE = Path(router.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.parts)

LAYERS = {
    "core": 0,
    "model": 1,
    "ops": 1,
    "stream": 2,
    "training": 2,
    "desk": 2,
    "demo": 3,
    "cli": 3,
}
"""A room imports from lower ones and from itself, and never from its neighbours."""

GROUND = {"errors", "resources"}
"""Modules that every room but the core may import, and that import none."""

ABOVE_THE_CORE = {"settings", "settings_checks", "policies", "assembly"}
"""Modules beside the rooms that put lower ones together."""

NO_IO = {
    *("asyncio", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets"),
    *("socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib"),
    *("aiokafka", "click", "faust", "mode", "onnxruntime", "prometheus_client"),
    *("rich", "structlog", "tokenizers"),
}
CALLS_OUT = {"open", "print", "input", "exec", "eval", "compile", "__import__"}
HEAVY = {"torch", "onnx", "sklearn", "safetensors", "scipy", "pandas", "transformers"}
PICKLES = {"pickle", "shelve", "dill", "joblib", "cloudpickle", "marshal"}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""


def own_imports(path: Path) -> Iterator[str]:
    """Rooms, and modules beside them, that ``path`` imports from."""
    for name in imports_of(path):
        package, _, rest = name.partition(".")
        if package == "router" and rest:
            yield rest.split(".")[0]


def tops_of(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports_of(path)}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def in_room(*rooms: str) -> list[Path]:
    return [path for path in MODULES if room_of(path) in rooms]


def test_every_room_has_its_place() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms <= LAYERS.keys()
    known = GROUND | ABOVE_THE_CORE | {"__init__", "__main__"}
    assert {path.stem for path in PACKAGE.glob("*.py")} == known


def test_imports_point_one_way() -> None:
    wrong = [
        f"{name_of(path)} imports {other}"
        for path in in_room(*LAYERS)
        for other in own_imports(path)
        if not _may_import(room_of(path), other)
    ]
    assert wrong == []


def test_the_ground_stands_on_nothing() -> None:
    assert [path for path in in_room(*GROUND) if list(own_imports(path))] == []


def _may_import(room: str, other: str) -> bool:
    if other in ABOVE_THE_CORE:
        return room != "core"
    if other not in LAYERS or other == room:
        return True
    return LAYERS[other] < LAYERS[room] or (room, other) == ("cli", "demo")


def test_the_core_imports_nothing_that_does_io_and_nothing_from_outside() -> None:
    own = {"core", *GROUND} - {"resources"}
    wrong = [
        f"{name_of(path)} imports {sorted(bad)}"
        for path in in_room("core")
        if (bad := tops_of(path) & NO_IO | set(own_imports(path)) - own)
    ]
    assert wrong == []


def test_the_core_calls_nothing_of_the_machine_and_keeps_no_state() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno} {ast.unparse(node)[:60]}"
        for path in in_room("core")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Global) or (isinstance(node, ast.Call) and _calls_out(node.func))
    ]
    assert wrong == []


def _calls_out(called: ast.expr) -> bool:
    """``self._clock.now()`` asks the clock it was given; ``datetime.now()`` asks the machine."""
    if isinstance(called, ast.Name):
        return called.id in CALLS_OUT
    if isinstance(called, ast.Attribute) and called.attr in {"now", "utcnow", "today"}:
        return "clock" not in ast.unparse(called.value)
    return False


@pytest.mark.parametrize(
    ("rooms", "forbidden"),
    [
        (("core", "model", "ops", "stream", "cli", "demo", *ABOVE_THE_CORE), HEAVY),
        (("core", "model", "ops"), {"aiokafka", "faust", "mode"}),
        (("stream",), {"onnxruntime", "tokenizers", "numpy"}),
        ((*LAYERS, *GROUND, *ABOVE_THE_CORE), PICKLES),
    ],
    ids=["heavy only in training", "kafka only in the stream", "no model in the stream", "pickle"],
)
def test_a_library_stays_where_it_belongs(rooms: tuple[str, ...], forbidden: set[str]) -> None:
    wrong = [
        f"{name_of(path)} imports {sorted(bad)}"
        for path in in_room(*rooms)
        if (bad := tops_of(path) & forbidden)
    ]
    assert wrong == []


def test_the_stream_knows_nothing_of_models() -> None:
    assert [path for path in in_room("stream") if "model" in set(own_imports(path))] == []


def test_the_rules_can_be_broken(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        "def f():\n    from router.stream import x\n    import torch.nn\n    open('x')\n"
    )
    assert list(own_imports(bad)) == ["stream"]
    assert tops_of(bad) >= {"router", "torch"}
    assert not _may_import("core", "stream")
    assert not _may_import("model", "ops")
    assert _calls_out(ast.parse("datetime.now(UTC)", mode="eval").body.func)  # type: ignore[attr-defined]  # a call
