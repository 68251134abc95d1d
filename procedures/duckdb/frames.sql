-- Geometries in another reference frame: a rotation, point by point.
-- Arguments: numbers, the longitudes and latitudes of a geometry in turn, degrees, and at the end,
--   where their count is odd, a radius, which stays; then the rotation's matrix by rows. NULL in,
--   NULL out; so is a latitude beyond a pole.
-- Errors raised: none.
-- Locks taken: none.

-- The position of a vector, of any length but 0: longitude in [0, 360) and latitude, degrees.
CREATE OR REPLACE MACRO sky.position_v1(x, y, z) AS
    list_transform(
        [degrees(atan2(y + 1e-90 - 1e-90, x))],
        lambda lon: [
            CASE WHEN lon < 0 THEN lon + 360 ELSE lon END,
            degrees(atan2(z, sqrt(
                (x + 1e-90 - 1e-90) * (x + 1e-90 - 1e-90)
                + (y + 1e-90 - 1e-90) * (y + 1e-90 - 1e-90)
            )))
        ]
    )[1];

CREATE OR REPLACE MACRO sky.rotated_v1(numbers, xx, xy, xz, yx, yy, yz, zx, zy, zz) AS
    CASE WHEN xx + xy + xz + yx + yy + yz + zx + zy + zz IS NULL THEN NULL
    WHEN len(list_filter(
        range(1, len(numbers)::BIGINT // 2 + 1),
        lambda i: abs(numbers[2 * i - 1]) < 'Infinity'::DOUBLE AND numbers[2 * i] BETWEEN -90 AND 90
    )) = len(numbers)::BIGINT // 2 THEN list_concat(
        flatten(list_transform(
            list_transform(
                range(1, len(numbers)::BIGINT // 2 + 1),
                lambda i: sky.unit_vector_v1(numbers[2 * i - 1], numbers[2 * i])
            ),
            lambda v: sky.position_v1(
                xx * v[1] + xy * v[2] + xz * v[3],
                yx * v[1] + yy * v[2] + yz * v[3],
                zx * v[1] + zy * v[2] + zz * v[3]
            )
        )),
        CASE WHEN len(numbers) % 2 = 1 THEN numbers[-1:] ELSE [] END
    ) END;
