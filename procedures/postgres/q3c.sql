-- The pixel of Q3C, the quad tree cube (Koposov & Bartunov 2006, ASPC 351, 735): the cube's six
-- faces, 0 at the north pole, 1 to 4 around from ra = 0, 5 at the south pole; each seen from the
-- centre and cut into 2^30 x 2^30 squares, numbered in z-order.
-- Arguments: doubles, degrees; ra of any turn. NULL in, NULL out; so is what is not finite; dec
--   beyond a pole is the pole.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.gavo_ipix_v1(ra double precision, "dec" double precision)
    RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    nside CONSTANT bigint := 1073741824;
    face bigint;
    x double precision;
    y double precision;
    ix bigint;
    iy bigint;
BEGIN
    IF (abs(ra) < 'Infinity' AND abs("dec") < 'Infinity') IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    -- (x + 1e-90 - 1e-90) is x, but 0 below 1e-106: PostgreSQL raises where a product vanishes.
    ra := ra - 360 * floor((ra + 1e-90 - 1e-90) / 360);
    "dec" := radians(LEAST(90, GREATEST(-90, "dec" + 1e-90 - 1e-90)));
    face := trunc((ra + 45) / 90);
    face := face % 4;
    x := tan(radians(ra - 90 * face + 1e-90 - 1e-90));
    y := tan("dec") / cos(radians(ra - 90 * face + 1e-90 - 1e-90));
    face := face + 1;
    IF abs(y) > 1 THEN
        face := CASE WHEN y > 1 THEN 0 ELSE 5 END;
        x := sign(y) * sin(radians(ra + 1e-90 - 1e-90)) / tan("dec");
        y := - cos(radians(ra + 1e-90 - 1e-90)) / tan("dec");
    END IF;
    ix := GREATEST(0, LEAST(nside - 1, floor((x / 2 + 0.5) * nside)::bigint));
    iy := GREATEST(0, LEAST(nside - 1, floor((y / 2 + 0.5) * nside)::bigint));
    RETURN face * nside * nside + sky.spread_bits_v1(ix) + (sky.spread_bits_v1(iy) << 1);
END
$$;
