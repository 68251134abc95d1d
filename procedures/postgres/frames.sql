-- Geometries in another reference frame: a rotation, point by point.
-- Arguments: numbers, the longitudes and latitudes of a geometry in turn, degrees, and at the end,
--   where their count is odd, a radius, which stays; then the rotation's matrix by rows. NULL in,
--   NULL out; so is a latitude beyond a pole.
-- Errors raised: none.
-- Locks taken: none.

-- The position of a vector of any length but 0: longitude in [0, 360) and latitude, degrees.
CREATE OR REPLACE FUNCTION sky.position_v1(
    x double precision, y double precision, z double precision
)
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    lon double precision := degrees(atan2(y + 1e-90 - 1e-90, x));
BEGIN
    x := x + 1e-90 - 1e-90;
    y := y + 1e-90 - 1e-90;
    RETURN ARRAY[
        CASE WHEN lon < 0 THEN lon + 360 ELSE lon END, degrees(atan2(z, sqrt(x * x + y * y)))
    ];
END
$$;

CREATE OR REPLACE FUNCTION sky.rotated_v1(
    numbers double precision[],
    xx double precision, xy double precision, xz double precision,
    yx double precision, yy double precision, yz double precision,
    zx double precision, zy double precision, zz double precision
)
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    found double precision[] := '{}';
    v double precision[];
BEGIN
    IF numbers IS NULL OR xx + xy + xz + yx + yy + yz + zx + zy + zz IS NULL THEN
        RETURN NULL;
    END IF;
    FOR i IN 1 .. cardinality(numbers) / 2 LOOP
        IF (abs(numbers[2 * i - 1]) < 'Infinity' AND numbers[2 * i] BETWEEN -90 AND 90)
            IS NOT TRUE
        THEN
            RETURN NULL;
        END IF;
        v := sky.unit_vector_v1(numbers[2 * i - 1], numbers[2 * i]);
        found := found || sky.position_v1(
            xx * v[1] + xy * v[2] + xz * v[3],
            yx * v[1] + yy * v[2] + yz * v[3],
            zx * v[1] + zy * v[2] + zz * v[3]
        );
    END LOOP;
    IF cardinality(numbers) % 2 = 1 THEN
        found := found || numbers[cardinality(numbers)];
    END IF;
    RETURN found;
END
$$;
