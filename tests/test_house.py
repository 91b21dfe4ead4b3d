"""Rules of the house that no linter knows: sizes of rooms, forbidden names, what the shipped models may weigh."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_MODULES = sorted((_ROOT / "explorer").rglob("*.py"))
_FORBIDDEN = {"utils", "util", "helpers", "misc", "common_functions", "manager"}


def _definitions(tree: ast.AST) -> Iterator[tuple[str, int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            limit = 250 if isinstance(node, ast.ClassDef) else 60
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1, limit


@pytest.mark.parametrize("path", _MODULES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_modules_classes_and_functions_know_their_room(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    too_long = [(name, n) for name, n, limit in _definitions(ast.parse(text)) if n > limit]
    assert not too_long


def test_no_attic() -> None:
    assert not [path for path in _MODULES if path.stem in _FORBIDDEN or path.parent.name in _FORBIDDEN]


def test_shipped_packages_stay_small() -> None:
    files = [path for path in (_ROOT / "models").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 90e6


def test_no_pickle_is_shipped() -> None:
    allowed = {".toml", ".json", ".md", ".safetensors"}
    files = [path for path in (_ROOT / "models").rglob("*") if path.is_file() and path.name != ".gitkeep"]
    assert {path.suffix for path in files} <= allowed
