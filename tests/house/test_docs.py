"""The documents say what the code does: every error code, every setting, every command."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema.errors import SkyshardError

ROOT = Path(__file__).parents[2]
PACKAGES = ("schema", "migrations", "procedures", "loaders", "qserv", "workers")


def _error_classes() -> Iterator[type[SkyshardError]]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if ".versions" not in module.name and not module.name.endswith((".env", ".__main__")):
                importlib.import_module(module.name)
    waiting = [SkyshardError]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        yield found


def test_every_error_code_tells_the_operator_what_to_do() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    codes = {found.code for found in _error_classes()}
    assert sorted(code for code in codes if f"`{code}`" not in text) == []


def test_every_link_of_the_documents_leads_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")]:
        targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        name = page.relative_to(ROOT)
        broken += [f"{name}: {target}" for target in targets if not (page.parent / target).exists()]
    assert not broken


def test_decisions_are_short() -> None:
    assert not [
        p.name for p in (ROOT / "docs" / "adr").glob("*.md") if p.read_text().count("\n") > 60
    ]


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_newcomer_s_commands(command: str) -> None:
    assert command in (ROOT / "README.md").read_text()


def test_help_is_fast_because_commands_import_lazily() -> None:
    code = (
        "import sys, workers.cli.main;"
        "print([m for m in ('duckdb', 'pyarrow', 'astropy', 'fastapi', 'sqlalchemy', 'ray')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
