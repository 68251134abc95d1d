"""What a function of both engines is: its name there, its types, and how users know it."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema.types import SPELLINGS, Type

SCHEMA = "sky"
"""The schema of the functions, in both engines."""

_ADQL = {
    Type.BOOLEAN: "BOOLEAN",
    Type.SHORT: "SMALLINT",
    Type.INT: "INTEGER",
    Type.LONG: "BIGINT",
    Type.FLOAT: "REAL",
    Type.DOUBLE: "DOUBLE",
    Type.TEXT: "VARCHAR",
    Type.BINARY: "BLOB",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.LONGS: "BIGINT[]",
    Type.TEXTS: "VARCHAR[]",
    Type.POINT: "POINT",
    Type.CIRCLE: "CIRCLE",
    Type.POLYGON: "POLYGON",
    Type.INTERVAL: "INTERVAL",
    Type.DOUBLES: "DOUBLE[]",
}


def form(name: str, arguments: str, types: tuple[Type, ...], result: Type) -> str:
    """A function as TAPRegExt 1.0, section 2.3, writes it; `arguments` are names with blanks between.

    Arguments without a name are `a`, `b`...
    """
    names = arguments.split() or [chr(ord("a") + place) for place in range(len(types))]
    typed = (f"{name} {_ADQL[kind]}" for name, kind in zip(names, types, strict=True))
    return f"{name}({', '.join(typed)}) -> {_ADQL[result]}"


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `parameters` are the types that arguments are cast to.

    `names` are those of the parameters as users see them, with blanks between, and `known_as` the
    function's, where it is not `name`. `defaults` are values for parameters that may be left out,
    from the last one back. `overloads` are further parameter lists, all of one type, which is then
    the result's too. An array is a parameter in `arrays` (by place), and the result where
    `gives_array`. Users may call it where `is_public`; the others are for rendering or for other
    functions.
    """

    name: str
    parameters: tuple[Type, ...]
    result: Type
    description: str
    defaults: tuple[int, ...] = ()
    overloads: tuple[Type, ...] = ()
    arrays: frozenset[int] = field(default_factory=frozenset)
    gives_array: bool = False
    is_public: bool = True
    version: int = 1
    names: str = ""
    known_as: str = ""

    @property
    def sql_name(self) -> str:
        """How both engines call it, with its schema."""
        return f"{SCHEMA}.{self.name}_v{self.version}"

    @property
    def form(self) -> str:
        """How /capabilities writes it."""
        return form(self.known_as or self.name, self.names, self.parameters, self.result)

    def signatures(self) -> tuple[str, ...]:
        """PostgreSQL's parameter lists, as `pg_get_function_identity_arguments` types them."""
        lists = [self.parameters, *((kind,) * len(self.parameters) for kind in self.overloads)]
        return tuple(
            ", ".join(
                SPELLINGS[kind].postgres + ("[]" if place in self.arrays else "")
                for place, kind in enumerate(parameters)
            )
            for parameters in lists
        )
