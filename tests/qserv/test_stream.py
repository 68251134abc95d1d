"""The end of the path: plans cut to what the caller takes."""

from __future__ import annotations

from dataclasses import replace

from qserv.bound import Column, Fetched, Output, RelationId, Select
from qserv.planned import Plan
from qserv.stream import cut_plan
from schema.types import Type
from tests.qserv.rows_of_chunks import fragment

_ONE = RelationId("f0")
_BLOCK = Select((Output(Column(_ONE, "c0", Type.LONG), "id"),), Fetched(_ONE, "f0"))
PASSED_ON = Plan((fragment(),), _BLOCK, _BLOCK.outputs, (), is_concatenation=True)


def test_a_cut_plan_s_shards_send_what_the_answer_and_its_offset_need() -> None:
    cut = cut_plan(replace(PASSED_ON, offset=5), 10)
    assert cut.limit == cut.merge.limit == 10
    assert cut.fragments[0].query.limit == cut.fragments[0].limit_total == 15


def test_limits_stay_within_what_engines_count() -> None:
    cut = cut_plan(replace(PASSED_ON, offset=2**63 - 1), 2**63)
    assert cut.limit == 2**63 - 1
    assert cut.fragments[0].query.limit == 2**63 - 1
