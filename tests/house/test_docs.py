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

from schema.catalog import Role
from schema.errors import SkyshardError
from schema.felis import read_catalog
from schema.layout import _CATALOG_KEYS, _ROLE_KEYS

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


def test_every_key_of_a_layout_is_described() -> None:
    text = (ROOT / "docs" / "layouts.md").read_text()
    keys = _CATALOG_KEYS.union(*_ROLE_KEYS.values()) | {role.value for role in Role}
    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def test_the_example_of_a_layout_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "layouts.md").read_text()
    schema, layout = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "survey.yaml").write_text(schema)
    (tmp_path / "layout.yaml").write_text(layout)
    made = read_catalog("survey", tmp_path / "survey.yaml", tmp_path / "layout.yaml")
    assert {table.name: table.role for table in made.tables} == {
        "Star": Role.DIRECTOR,
        "Measurement": Role.CHILD,
        "Exposure": Role.REPLICATED,
    }
    star = made.table("Star")
    assert star is not None
    assert [column.name for column in star.columns] == ["starId", "ra", "dec", "g_mag", "r_mag"]


def test_the_licence_stands_in_full() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert text.count("\n") > 600


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
