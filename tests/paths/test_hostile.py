"""Hostile queries over HTTP: nothing closed is read, nothing is a server's error. The servers' log is judge.

300 in `make test`, 4,000 in `make nightly`, with another seed each day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psycopg2
import pytest
import sqlglot
from sqlglot import exp

from qserv.limits import ANONYMOUS
from schema.manifest import PartKind
from tests.support.guarded import MARKER, Guarded, guarded
from tests.support.hostile import hostile
from tests.support.postgres import Server, running_server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
COUNT, NIGHTLY = 300, 4000
LIMITS = replace(ANONYMOUS, timeout_s=4.0, max_rows=5000, max_merge_rows=2_000_000)
EXPECTED = {200, 400, 413}
_STATEMENT = re.compile(
    r"LOG:  (?:statement|execute [^:]*): (.*?)(?=\n\d{4}-\d\d-\d\d |\Z)", re.DOTALL
)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_PART = re.compile(r'\bparts"?\."?[po](\d+)')
_DANGER = re.compile(
    r"\b(pg_(?!catalog\.|typeof)\w+|lo_\w+|dblink\w*|\w+_to_xml|read_\w+|set_config|current_setting)\s*\(",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def logged() -> Iterator[Server]:
    """A server that logs every statement."""
    with running_server() as server:
        with closing(psycopg2.connect(server.dsn())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET log_statement = 'all'")
                cursor.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def world(logged: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(
        logged, Path(tmp_path_factory.mktemp("hostile")), limits=LIMITS, engines=True
    ) as made:
        yield made


def test_no_hostile_query_reads_what_is_closed_or_breaks_a_server(
    world: Guarded, logged: Server, pytestconfig: pytest.Config
) -> None:
    is_nightly = pytestconfig.getoption("--nightly")
    seed = datetime.now(UTC).date().toordinal() if is_nightly else 1
    before = len(logged.log)
    wrong = []
    with httpx.Client(base_url=world.url, timeout=60) as client:
        for number, (language, text) in enumerate(hostile(NIGHTLY if is_nightly else COUNT, seed)):
            who = {"Authorization": f"Bearer {world.tokens['bob']}"} if number % 2 else {}
            fault = _fault(client, language, text, who)
            if fault:
                wrong.append((language, text[:300], fault))
    assert not wrong, f"seed {seed}: {wrong[:5]}"
    statements = _STATEMENT.findall(logged.log[before:])
    assert sum("/* query " in one for one in statements) > 20
    closed = _closed_parts(world)
    assert not [one[:300] for one in statements if not _is_harmless(one, closed)]


def _fault(client: httpx.Client, language: str, text: str, who: dict[str, str]) -> str:
    """What is wrong with the answer to a query; empty where nothing is."""
    fields = {"LANG": language, "QUERY": text, "RESPONSEFORMAT": "csv", "MAXREC": "50"}
    form = urlencode({key: value.encode("utf-8", "surrogatepass") for key, value in fields.items()})
    headers = {**who, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = client.post("/tap/sync", content=form, headers=headers)
    except httpx.TimeoutException:
        return "no answer within a minute"
    if answer.status_code not in EXPECTED:
        return f"status {answer.status_code}: {answer.text[:300]}"
    if "Traceback" in answer.text or "INTERNAL_ERROR" in answer.text:
        return answer.text[:300]
    if MARKER in answer.text:
        return "a row that is closed"
    return ""


def _closed_parts(world: Guarded) -> set[int]:
    notes = world.store.pin().manifests["mixed"]
    of_note = {int(part.part_id) for kind in PartKind for part in notes.parts_of("Note", kind)}
    return of_note | world.parts_of("vault")


def _is_harmless(statement: str, closed: set[int]) -> bool:
    """Whether it reads no closed part; if a query asked for it, nothing but parts, and nothing odd."""
    bare = _LITERAL.sub("''", statement)
    if closed & {int(number) for number in _PART.findall(bare)}:
        return False
    if "/* query " not in statement:
        return True  # bookkeeping, of our own words
    if ";" in bare.rstrip(" ;\n") or _DANGER.search(bare):
        return False
    return _reads_parts_only(bare)


def _reads_parts_only(statement: str) -> bool:
    """Whether a statement is one SELECT over tables of parts and what it names itself."""
    copied = re.fullmatch(r"COPY \((.*)\) TO STDOUT.*", statement.strip(), re.DOTALL)
    tree = sqlglot.parse_one(copied[1] if copied else statement, read="postgres")
    if not isinstance(tree, exp.Query):
        return False
    named = {one.alias for one in tree.find_all(exp.CTE)}
    tables = [one for one in tree.find_all(exp.Table) if isinstance(one.this, exp.Identifier)]
    return all(one.db == "parts" or (not one.db and one.name in named) for one in tables)


def test_the_judge_knows_a_culprit() -> None:
    closed = {7}
    assert _is_harmless("/* query x */ SELECT 1 FROM parts.p1 AS a", closed)
    assert _is_harmless("/* query x */ SELECT 'pg_sleep(1); parts.p7' FROM parts.p1", closed)
    assert not _is_harmless('/* query x */ SELECT 1 FROM "parts"."p7"', closed)
    assert not _is_harmless("/* query x */ SELECT pg_sleep(1) FROM parts.p1", closed)
    assert not _is_harmless("/* query x */ SELECT 1 FROM skyshard.part", closed)
    assert not _is_harmless("/* query x */ SELECT 1; DROP TABLE parts.p1", closed)
    assert not _is_harmless("/* query x */ DELETE FROM parts.p1", closed)
