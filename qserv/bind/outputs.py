"""Outputs of bound queries: what an outer block sees of them, and casts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from qserv.bind.coercion import cast
from qserv.bind.errors import Node
from qserv.bind.names import Field, Fields
from qserv.bound import Column, Derived, Expression, Output, Query, RelationId, Select
from schema.types import Type


def fields_of(query: Query, names: Sequence[str] = ()) -> Fields:
    """A query's output columns as fields of a relation; `names` rename the first of them."""
    outputs = query.outputs
    spelled = [*names, *(output.name for output in outputs[len(names) :])]
    return Fields(
        tuple(
            Field(name, f"c{i}", output.type, output.metadata)
            for i, (name, output) in enumerate(zip(spelled, outputs, strict=True))
        )
    )


def columns_of(query: Query, relation: RelationId) -> tuple[Output, ...]:
    """Outputs that pass a query's columns on, read as `relation`."""
    return tuple(
        Output(Column(relation, f"c{i}", output.type), output.name, output.metadata)
        for i, output in enumerate(query.outputs)
    )


def cast_outputs(
    query: Query, types: Sequence[Type], new_relation: Callable[[], RelationId], node: Node
) -> Query:
    """The query with its columns cast to `types`.

    A plain block casts in its own select list; where that could change which rows are distinct, the
    casts stand around the query.
    """
    if all(o.type is kind for o, kind in zip(query.outputs, types, strict=True)):
        return query
    if isinstance(query, Select) and not query.distinct:
        return replace(query, outputs=_cast_each(query.outputs, types, node))
    relation = new_relation()
    passed = _cast_each(columns_of(query, relation), types, node)
    return Select(passed, source=Derived(relation, query))


def _cast_each(outputs: Sequence[Output], types: Sequence[Type], node: Node) -> tuple[Output, ...]:
    """The outputs cast to `types`; a cast column is no longer the model's."""

    def as_type(output: Output, kind: Type) -> Output:
        if output.type is kind:
            return output
        found: Expression = cast(output.expression, kind, node)
        return Output(found, output.name, None)

    return tuple(as_type(o, kind) for o, kind in zip(outputs, types, strict=True))
