"""A stock VO client against a running server."""

from __future__ import annotations

import warnings
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import httpx
import pytest
from pyvo.io.vosi import parse_availability
from vo_models.tapregext.models import TableAccess

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyvo.dal import DALOverflowWarning, DALQueryError, TAPService


FEATURES = "ivo://ivoa.net/std/TAPRegExt#features-"


@pytest.fixture
def tap(base_url: str) -> TAPService:
    return TAPService(base_url)


def test_pyvo_searches(tap: TAPService) -> None:
    found = tap.search("SELECT 4")
    assert [row["band"] for row in found] == ["u", "g", "r", "i"]
    assert found.query_status == "OK"
    assert found.fielddescs[1].unit == "deg"


def test_pyvo_is_warned_of_an_overflow(tap: TAPService) -> None:
    with pytest.warns(DALOverflowWarning):
        found = tap.search("SELECT 30000")
    assert len(found) == 20_000


def test_pyvo_raises_what_the_server_says(tap: TAPService) -> None:
    with pytest.raises(DALQueryError, match="did you mean 'ra'"):
        tap.search("bad")


def test_pyvo_raises_a_late_failure(tap: TAPService) -> None:
    with pytest.raises(DALQueryError, match="part 5 is gone"):
        tap.search("late failure")


def test_pyvo_lists_tables_and_columns(tap: TAPService) -> None:
    assert [table.name for table in tap.tables] == ["dp1.Object", "dp1.ForcedSource"]
    columns = tap.tables["dp1.Object"].columns
    assert [(c.name, c.unit, c.datatype.content) for c in columns] == [
        ("objectId", None, "long"),
        ("ra", "deg", "double"),
        ("band", None, "unicodeChar"),
    ]
    assert tap.tables["dp1.Object"].description == "Objects <of> the survey"
    assert tap.tables["dp1.ForcedSource"].foreignkeys[0].targettable == "dp1.Object"


def test_the_languages_beside_adql_are_in_the_capabilities(base_url: str) -> None:
    text = httpx.get(f"{base_url}/capabilities").text
    assert "<name>PostgreSQL</name>" in text
    assert "<name>MySQL</name>" in text


def test_pyvo_reads_the_capabilities(tap: TAPService) -> None:
    assert (tap.maxrec, tap.hardlimit) == (20_000, 20_000)
    language = tap.get_tap_capability().get_adql()
    assert language.get_feature(f"{FEATURES}adqlgeo", "CONTAINS") is not None
    assert {"csv", "json", "fits"} <= {
        alias for form in tap.get_tap_capability().outputformats for alias in form.aliases
    }


def test_pyvo_sees_the_functions_by_their_forms(tap: TAPService) -> None:
    functions = tap.get_tap_capability().get_adql().get_feature_list(f"{FEATURES}udf")
    described = {function.form: function.description for function in functions}
    assert described["ivo_healpix_center(hpxOrder INTEGER, hpxIndex BIGINT) -> POINT"]
    assert described["ivo_healpix_index(hpxOrder INTEGER, p POINT) -> BIGINT"]
    assert described["fluxToAbMagSigma(flux DOUBLE, fluxSigma DOUBLE) -> DOUBLE"]
    assert (
        "(0..29)"
        in described["ivo_healpix_index(hpxOrder INTEGER, ra DOUBLE, dec DOUBLE) -> BIGINT"]
    )


def test_the_functions_of_the_ivoa_s_catalogue_are_listed(tap: TAPService) -> None:
    functions = tap.get_tap_capability().get_adql().get_feature_list(f"{FEATURES}udf")
    names = {function.form.partition("(")[0] for function in functions}
    assert names >= {
        *("ivo_healpix_index", "ivo_healpix_center", "ivo_epoch_prop_pos", "ivo_geom_transform"),
        *("ivo_to_jd", "ivo_to_mjd", "ivo_string_agg", "ivo_nocasematch", "ivo_hasword"),
        *("ivo_hashlist_has", "ivo_histogram", "ivo_normal_random", "ivo_interval_overlaps"),
        *("ivo_hms_to_degrees", "ivo_dms_to_degrees", "gavo_ipix", "ivo_interval_has"),
        "ivo_apply_pm",
    }
    assert "ivo_simbadpoint" not in names
    assert not {"ln", "abs", "lower", "ABS"} & names


def test_vo_models_reads_the_features_of_adql(base_url: str) -> None:
    document = ET.fromstring(httpx.get(f"{base_url}/capabilities").content)
    access = document.find("capability[language]")
    assert access is not None
    for other in access.findall("language")[1:]:
        access.remove(other)  # vo-models wants features of each language, the standard does not
    (language,) = TableAccess.from_xml(ET.tostring(access)).language
    features = {
        listed.type.lower().removeprefix(FEATURES.lower()): [
            feature.form for feature in listed.feature
        ]
        for listed in language.language_features
    }
    assert {kind: forms for kind, forms in features.items() if kind not in ("udf", "adqlgeo")} == {
        "adql-common-table": ["WITH"],
        "adql-sets": ["UNION", "EXCEPT", "INTERSECT"],
        "adql-string": ["LOWER", "UPPER", "ILIKE"],
        "adql-type": ["CAST"],
        "adql-conditional": ["COALESCE"],
        "adql-unit": ["IN_UNIT"],
        "adql-offset": ["OFFSET"],
    }
    assert len(features["adqlgeo"]) == 13
    assert all(" -> " in form for form in features["udf"])


def test_pyvo_sees_that_the_server_is_up(base_url: str) -> None:
    with urlopen(f"{base_url}/availability") as document:
        assert parse_availability(document.read).available
