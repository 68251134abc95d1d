"""Layout files: their form."""

from pathlib import Path

import pytest

from schema.catalog import Kind, Role
from schema.layout import LayoutError, TableLayout, matching, parse_layout, read_layout

WHOLE = """
description: A survey
family: lab
kind: release
margin_arcsec: 30
chunk_rows: 1000
placement_order: 3
replicas: 2
keep: [Object, Source, Pairs, Visit]
tables:
  Object: {role: director, key: id, ra: ra, dec: dec, columns: ["*_flux", "!y_*"], unplaced: keep}
  Source: {role: child, parent: Object, key: objectId, sentinels: [0, -1], indexes: [visit]}
  Pairs:
    role: match
    pairs: [{director: Object, key: left}, {director: Object, key: right}]
  Visit: {role: replicated}
"""


def test_every_key_is_read() -> None:
    layout = parse_layout(WHOLE, "whole.yaml")
    assert (layout.family, layout.kind, layout.margin_arcsec) == ("lab", Kind.RELEASE, 30.0)
    assert (layout.chunk_rows, layout.placement_order, layout.replicas) == (1000, 3, 2)
    assert layout.keep == ("Object", "Source", "Pairs", "Visit")


def test_a_director_is_read() -> None:
    assert parse_layout(WHOLE, "whole.yaml").tables["Object"] == TableLayout(
        Role.DIRECTOR, "id", "ra", "dec", columns=("*_flux", "!y_*"), keep_unplaced=True
    )


def test_a_child_is_read() -> None:
    assert parse_layout(WHOLE, "whole.yaml").tables["Source"] == TableLayout(
        Role.CHILD, "objectId", parent="Object", sentinels=(0, -1), indexes=(("visit",),)
    )


def test_a_match_table_is_read() -> None:
    assert parse_layout(WHOLE, "whole.yaml").tables["Pairs"] == TableLayout(
        Role.MATCH, "left", parent="Object", match=("Object", "right")
    )


def test_a_replicated_table_has_the_schemas_indexes() -> None:
    layout = parse_layout("tables: {Visit: {role: replicated}}", "x")
    assert layout.tables["Visit"].indexes is None


def test_an_empty_file_is_an_empty_layout() -> None:
    assert parse_layout("", "x").tables == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("margin: 1", "x, key `margin`: is no key of a layout; did you mean 'margin_arcsec'"),
        ("margin_arcsec: wide", "x, key `margin_arcsec`: must be a number of arcseconds"),
        ("margin_arcsec: 36000", "from 0 to 3600"),
        ("margin_arcsec: true", "must be a number"),
        ("chunk_rows: 0", "x, key `chunk_rows`: must be a whole number from 1"),
        ("placement_order: 6", "from 1 to 5"),
        ("replicas: 99", "from 1 to 16"),
        ("kind: relase", "must be one of release, live, not 'relase'; did you mean 'release'"),
        ("tables: [Object]", "x, key `tables`: must map each table's name to its role"),
        ("tables: {Object: director}", "x, table Object: needs a role"),
        ("tables: {Object: {role: boss}}", "x, table Object, key `role`: must be one of"),
        ("tables: {Object: {role: director, key: id}}", "x, table Object: a director needs `ra:`"),
        ("tables: {A: {role: child, key: id}}", "x, table A: a child needs `parent:`"),
        ("tables: {A: {role: replicated, ra: ra}}", "name both `ra` and `dec`, or neither"),
        ("tables: {A: {role: replicated, parent: B}}", "is no key of a replicated table"),
        ("tables: {A: {role: match, pairs: [{director: B}]}}", "must be two pairs"),
        (
            "tables: {A: {role: child, parent: B, key: k, sentinels: [none]}}",
            "x, table A, key `sentinels`: must be a list of integers",
        ),
        (
            "tables: {A: {role: director, key: k, ra: r, dec: d, unplaced: drop}}",
            "must be `keep` or `reject`",
        ),
        ("tables: {A: {role: replicated, indexes: all}}", "x, table A, key `indexes`: must be"),
        ("tables: {A: {role: replicated, columns: [1]}}", "must be a name, not 1"),
        ("tables: {A: {role: replicated}, A: {role: replicated}}", "'A' stands twice"),
        ("tables: [", "is not YAML"),
        ("- a", "must be a mapping"),
    ],
)
def test_an_error_says_where_and_what(text: str, said: str) -> None:
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "x")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["dp1", "dp02_dc2", "apdb", "apdb_release"])
def test_layouts_are_shipped(name: str) -> None:
    assert read_layout(name).source == f"layout {name}"


def test_a_file_is_a_layout(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE)
    assert read_layout(path).family == "lab"


def test_a_missing_file_names_the_shipped_layouts() -> None:
    with pytest.raises(LayoutError, match="apdb, apdb_release, dp02_dc2, dp1"):
        read_layout("dp2")


def test_patterns_choose_in_order_and_in_any_case() -> None:
    names = ["g_flux", "r_flux", "Y_flux", "ra"]
    assert matching(["[GRY]_flux", "!y_*"], names) == ({"g_flux", "r_flux"}, [])


def test_a_pattern_that_fits_nothing_is_told() -> None:
    assert matching(["*", "u_flux"], ["ra"]) == ({"ra"}, ["u_flux"])


def live(table: str, top: str = "kind: live") -> str:
    """A live layout of one table."""
    return f"{top}\ntables:\n  Source: {table}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (live("{role: replicated, time: mjd}", "kind: release"), "of a live catalog by time"),
        (live("{role: replicated}", "chunk_order: 3"), "is of live catalogs"),
        (live("{role: replicated}", "kind: live\nmargin_arcsec: 10"), "have no overlap"),
        (live("{role: replicated}", "kind: live\nchunk_rows: 10"), "say `chunk_order:` instead"),
        (live("{role: replicated, slice_days: 3}"), "needs `time:`"),
        (live("{role: replicated, time: mjd, slice_days: 0}"), "must be a number of days"),
        (
            live("{role: director, key: id, ra: ra, dec: dec, unplaced: keep}"),
            "rows of live catalogs have positions",
        ),
    ],
)
def test_what_live_catalogs_cannot_have_is_refused(text: str, said: str) -> None:
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "x")
    assert said in str(caught.value)


def test_a_live_layout_cuts_tables_by_time() -> None:
    layout = parse_layout(live("{role: replicated, time: mjd, retention_days: 90}"), "x")
    found = layout.tables["Source"]
    assert (layout.margin_arcsec, found.time, found.slice_days) == (0.0, "mjd", 30.0)
    assert found.retention_days == 90.0
