"""The manifest's geometries: their values, areas and centres, and how two regions lie to each other."""

from __future__ import annotations

from procedures.function import Function
from schema.types import Type

_DOUBLE, _DOUBLES, _TEXT, _BOOLEAN = Type.DOUBLE, Type.DOUBLES, Type.TEXT, Type.BOOLEAN


def _hidden(name: str, parameters: tuple[Type, ...], result: Type, description: str) -> Function:
    """A function for rendering only."""
    return Function(name, parameters, result, description, is_public=False)


_VALUES = (
    _hidden("point", (_DOUBLE,) * 2, Type.POINT, "a point as an array; NULL where a number is"),
    _hidden("circle", (_DOUBLE,) * 3, Type.CIRCLE, "a circle as an array; NULL where a number is"),
    _hidden("polygon", (_DOUBLES,), Type.POLYGON, "an array of vertices; NULL where a number is"),
    _hidden("box_corners", (_DOUBLE,) * 4, Type.POLYGON, "a box's corners as a polygon"),
    _hidden("coordinate", (_DOUBLES, Type.INT), _DOUBLE, "the n-th number of a geometry"),
    _hidden("circle_area", (_DOUBLE,), _DOUBLE, "square degrees of a circle of a radius"),
    _hidden("box_area", (_DOUBLE,) * 3, _DOUBLE, "square degrees of a box (dec, width, height)"),
    _hidden("polygon_area", (_DOUBLES,), _DOUBLE, "square degrees of a polygon"),
    _hidden("polygon_centroid", (_DOUBLES,), Type.POINT, "a polygon's centre of mass"),
)

_PAIRS = tuple(
    _hidden(name, (_DOUBLES, _DOUBLES), _BOOLEAN, f"whether a {name.replace('_', ' ')}")
    for name in (
        *("circle_in_circle", "circle_in_polygon", "circle_in_box"),
        *("polygon_in_circle", "polygon_in_polygon", "polygon_in_box"),
        *("box_in_circle", "box_in_polygon", "box_in_box"),
        *("circle_meets_circle", "circle_meets_polygon", "circle_meets_box"),
        *("polygon_meets_polygon", "polygon_meets_box", "box_meets_box"),
    )
)

_CASTS = (
    _hidden("text_to_doubles", (_TEXT,), _DOUBLES, "numbers with blanks between as an array"),
    _hidden("doubles_to_text", (_DOUBLES,), _TEXT, "an array as numbers with blanks between"),
    _hidden("float_to_text", (Type.FLOAT,), _TEXT, "the shortest text, as PostgreSQL writes it"),
    _hidden("double_to_text", (_DOUBLE,), _TEXT, "the shortest text, as PostgreSQL writes it"),
    _hidden("timestamp_to_text", (Type.TIMESTAMP,), _TEXT, "a time in ISO 8601"),
    _hidden("text_to_timestamp", (_TEXT,), Type.TIMESTAMP, "ISO 8601, without zone or with Z"),
    _hidden("text_to_boolean", (_TEXT,), _BOOLEAN, "true, t, yes, on, 1 and their opposites"),
    _hidden("cut", (_TEXT, Type.INT), _TEXT, "the first n characters"),
)

REGIONS = (*_VALUES, *_PAIRS, *_CASTS)
"""What geometry and CAST need of the engines."""

REGION_HELPERS = {
    "postgres": frozenset(
        {
            *("apex_v1", "box_distance_v1", "box_sides_v1", "chord_v1", "corners_v1"),
            *("direction_v1", "edge_distance_v1", "edge_normal_v1", "edges_cross_v1"),
            *("edges_reach_v1", "inner_v1", "meets_parallel_v1", "meridian_distance_v1"),
            *("middle_v1", "polygon_crosses_box_v1", "polygon_distance_v1", "polygon_fan_v1"),
            *("polygons_cross_v1", "turn_v1", "vertices_in_v1"),
        }
    ),
    "duckdb": frozenset(
        {
            *("any_cross_v1", "apex_v1", "box_distance_v1", "box_north_v1", "box_sides_v1"),
            *("box_south_v1", "chord_v1", "direction_v1", "edge_distance_v1", "edge_normal_v1"),
            *("edges_cross_v1", "edges_reach_v1", "edges_v1", "meets_parallel_v1"),
            *("meridian_distance_v1", "meridian_edges_v1", "middle_v1", "plain_text_v1"),
            *("polygon_crosses_box_v1", "polygon_distance_v1", "polygon_fan_v1", "polygon_rim_v1"),
            *("polygons_cross_v1", "reaches_v1", "scientific_v1", "top_v1", "triangle_v1"),
            *("turn_v1", "vertices_in_box_v1", "vertices_in_v1"),
        }
    ),
}
"""What those functions are made of, by engine."""
