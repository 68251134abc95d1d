"""The limits of the house: sizes, names, and what must not stand in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("schema", "migrations", "procedures", "loaders", "qserv", "workers")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES = 600, 70
BANNED_NAMES = re.compile(r"(^|_)(util|utils|helper|helpers|misc|common|manager)(_|$)")


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE_LINES
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in _functions(ast.parse(text))
        if node.end_lineno is not None and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert not long


def test_no_module_is_a_drawer() -> None:
    assert not [path for path in MODULES if BANNED_NAMES.search(path.stem)]


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_public_functions_and_classes_say_what_they_give() -> None:
    silent = []
    for path in MODULES:
        if "migrations" in path.parts and "versions" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
            if is_public and not ast.get_docstring(node):  # type: ignore[arg-type]
                silent.append(f"{path.relative_to(ROOT)}: {node.name}")  # type: ignore[union-attr]
    assert not silent


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_for_later_without_an_issue(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b(?! #\d+)")
    assert not [str(p.relative_to(ROOT)) for p in MODULES if pattern.search(p.read_text())]


def test_only_the_chain_of_folders_stands_at_the_top() -> None:
    allowed = {*FOLDERS, "tests", "docs"}
    found = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not path.name.endswith(".egg-info")
    }
    assert found - {"build", "dist"} <= allowed


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert not [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists()]


def test_every_folder_has_a_readme_that_says_in_which_order_to_read() -> None:
    without = [
        folder
        for folder in FOLDERS
        if "ead in this order" not in (ROOT / folder / "README.md").read_text()
    ]
    assert not without


def test_only_the_ray_executor_imports_ray() -> None:
    found = [
        p for p in MODULES if re.search(r"^\s*(import|from) ray\b", p.read_text(), re.MULTILINE)
    ]
    assert {p.relative_to(ROOT).as_posix() for p in found} <= {"workers/cluster.py"}
