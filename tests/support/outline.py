"""A sqlglot tree as text that a reader can check."""

from __future__ import annotations

from sqlglot import exp

_WIDTH = 96


def outline(node: object, indent: int = 0) -> str:
    """The node on one line if it fits, else one argument a line. Names and literals are short.

    Arguments stand in the order that sqlglot declares them in, whoever built the node.
    """
    flat = _flat(node)
    if indent + len(flat) <= _WIDTH or not isinstance(node, exp.Expression | list):
        return flat
    opening, parts, closing = _parts(node)
    inner = " " * (indent + 2)
    lines = [f"{inner}{prefix}{outline(part, indent + 2)}" for prefix, part in parts]
    return "\n".join([opening, *lines]) + closing


def _flat(node: object) -> str:
    match node:
        case exp.Identifier():
            return f'"{node.this}"' if node.args.get("quoted") else node.this
        case exp.Column() | exp.Table() if "alias" not in node.args and "joins" not in node.args:
            return f"{type(node).__name__} {'.'.join(map(_flat, node.parts))}"
        case exp.Literal():
            return repr(node.this) if node.is_string else node.this
        case exp.Null():
            return "NULL"
        case exp.Star():
            return "*"
        case exp.Boolean():
            return str(node.this).upper()
        case exp.DataType():
            return node.sql("postgres")
        case exp.Expression() | list():
            opening, parts, closing = _parts(node)
            return opening + ", ".join(prefix + _flat(part) for prefix, part in parts) + closing
        case _:
            return repr(node)


def _parts(node: exp.Expression | list[object]) -> tuple[str, list[tuple[str, object]], str]:
    if isinstance(node, list):
        return "[", [("", item) for item in node], "]"
    present = [(key, node.args.get(key)) for key in node.arg_types]
    arguments = [(key, value) for key, value in present if value not in (None, [])]
    prefix = [("" if key == "this" else f"{key}=", value) for key, value in arguments]
    return f"{type(node).__name__}(", prefix, ")"
