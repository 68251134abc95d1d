"""The words of ADQL 2.1: those that build a query, and how many arguments the reserved functions take."""

from __future__ import annotations

from schema.reserved import RESERVED


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CLAUSE_WORDS = _words(
    """
    ALL AND AS ASC BETWEEN BY CASE CROSS DESC DISTINCT ELSE END EXCEPT EXISTS FROM FULL GROUP HAVING
    ILIKE IN INNER INTERSECT IS JOIN LEFT LIKE NATURAL NOT OFFSET ON OR ORDER OUTER RIGHT SELECT
    THEN TOP UNION USING WHEN WHERE WITH
    """
)
"""The words that a query is built of: nobody meant one of these as a name."""

ARGUMENT_COUNTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        _words(
            "ABS ACOS ASIN ATAN CEILING COS COT DEGREES EXP FLOOR LOG LOG10 RADIANS SIN SQRT TAN "
            "LOWER UPPER AREA CENTROID COORD1 COORD2 COORDSYS REGION"
        ),
        (1,),
    ),
    **dict.fromkeys(_words("ATAN2 MOD POWER CONTAINS INTERSECTS IN_UNIT POINT"), (2,)),
    "PI": (0,),
    "RAND": (0, 1),
    "ROUND": (1, 2),
    "TRUNCATE": (1, 2),
    "BOX": (3, 4),
    "CIRCLE": (2, 3),
    "DISTANCE": (2, 4),
}
"""How many arguments each reserved function takes, a coordinate system not counted.

POLYGON is not here: it takes three vertices or more. COT is a function of ADQL 2.1, though not a
reserved word.
"""

RESERVED_FUNCTIONS = (frozenset(ARGUMENT_COUNTS) | {"POLYGON"}) & RESERVED

PREDICATE_GEOMETRIES = frozenset({"CONTAINS", "INTERSECTS"})

SQL_FUNCTIONS = _words(
    "BIT_LENGTH CHARACTER_LENGTH CHAR_LENGTH NULLIF OCTET_LENGTH POSITION SUBSTRING TRIM"
)
"""SQL92's functions: reserved words that ADQL gives no meaning. Whether we have them, bind says."""

STATISTICS = _words(
    "STDDEV STDDEV_POP STDDEV_SAMP VARIANCE VAR_POP VAR_SAMP MEDIAN COVAR_POP COVAR_SAMP CORR"
)
"""Aggregates beyond ADQL's five: a declared extension, not reserved."""

STATEMENT_WORDS = _words(
    """
    ALTER ANALYZE BEGIN CALL COMMIT COPY CREATE DECLARE DELETE DO DROP EXEC EXECUTE EXPLAIN GRANT
    INSERT LOCK MERGE PREPARE REPLACE REVOKE ROLLBACK SET SHOW TRUNCATE UPDATE USE VACUUM
    """
)
"""What other statements begin with: for a message that says that only queries are answered."""
