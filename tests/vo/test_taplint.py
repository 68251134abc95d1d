"""STILTS' validator of TAP services finds no error in any of its stages (`make vo`)."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.qserv.jobs.czars import Czar

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
STILTS = shutil.which("stilts")
EXPLAINED = {
    "W-CAP-CULF": "COALESCE's key is of ADQL 2.1, which a STILTS of before it does not know",
    "W-CAP-CPI2": "one interface for each way of logging in, as IVOA SSO 2.0 has it",
    "W-UWS-UNSC": "jobInfo holds elements of our own, as UWS allows",
    "W-UPL-TMDA": "texts are Unicode: what came as char leaves as unicodeChar",
    "W-EXA-EXVL": "examples are in ADQL 2.1; an older STILTS wants coordinate systems in geometries",
}
"""Warnings that are right, and why they stay."""


@pytest.mark.skipif(STILTS is None, reason="stilts is not installed (Debian: apt install stilts)")
def test_taplint_finds_no_error(one: Czar, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--nightly"):
        pytest.skip("`make vo` runs it")
    assert STILTS is not None
    command = [STILTS, "taplint", f"tapurl={one.url}", "report=EWF"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    print(ran.stdout)  # noqa: T201  (the report is what `make vo` is for)
    lines = ran.stdout.splitlines()
    assert [line for line in lines if line.startswith("E-")] == []
    warned = {line[:10] for line in lines if line.startswith("W-")}
    assert warned <= set(EXPLAINED)
    assert any(line.startswith("Totals: Errors: 0;") for line in lines)
