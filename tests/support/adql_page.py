"""docs/adql.md, written from what is tested: features with their examples, functions, refusals."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qserv.bind.declared import advertised
from tests.support.cases import CASES, cases_in

PAGE = Path(__file__).parents[2] / "docs" / "adql.md"
_FEATURES = CASES / "documented" / "adql.toml"
_HEAD = """\
# ADQL

Written by `make docs` from what the tests run: do not edit. The examples ask the sky of `make demo`.

Skyshard speaks ADQL 2.1, whole, and takes ADQL 2.0. What it has beyond the standard is called an extension.
The answer is that of one unsharded PostgreSQL that holds the same rows: but floating arithmetic that has no
finite value gives NULL, and there is no NaN.
"""
_FUNCTIONS = """\
## Functions

Beside those above. All are the same in both engines; NULL in gives NULL out. Names answer in any case,
those of sciSQL with or without `scisql_`.
"""
_REFUSALS = """\
## What is refused

A refusal names the line and the column, before any shard is asked. Each text with what is said of it:
"""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature and an example of it."""

    section: str
    name: str
    text: str
    example: str


def features() -> list[Feature]:
    """All features, in the page's order."""
    sections = tomllib.loads(_FEATURES.read_text("utf-8"))["section"]
    return [
        Feature(
            section["title"], entry["name"], entry.get("text", ""), entry["example"].strip("\n")
        )
        for section in sections
        for entry in section["feature"]
    ]


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections(), _FUNCTIONS, *_functions(), "", _REFUSALS, *_refusals()])


def _sections() -> Iterator[str]:
    for section in tomllib.loads(_FEATURES.read_text("utf-8"))["section"]:
        yield f"## {section['title']}\n"
        if "text" in section:
            yield f"{section['text']}\n"
        for feature in section["feature"]:
            example = feature["example"].strip("\n")
            text = [feature["text"], ""] if "text" in feature else []
            yield "\n".join([f"### {feature['name']}", "", *text, "```sql", example, "```", ""])


def _functions() -> Iterator[str]:
    yield "| function | gives |"
    yield "|---|---|"
    for function in sorted(advertised(), key=lambda function: function.form.casefold()):
        described = function.description.replace("|", "\\|")
        yield f"| `{function.form}` | {described} |"


def _refusals() -> Iterator[str]:
    """Of the grammar's cases, then of those of names, types and regions."""
    for case in (*cases_in("adql"), *cases_in("bind")):
        message = case.sections.get("error")
        if message is not None:
            yield f"```\n{case.text}\n\n{message.splitlines()[0]}\n```\n"
