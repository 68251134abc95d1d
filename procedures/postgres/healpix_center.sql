-- HEALPix (Górski et al. 2005, ApJ 622, 759), NESTED: the centre of a pixel.
-- Arguments: healpix_order, an integer 0..29; healpix_index, a bigint 0..12 * 4^order - 1 (others
--   give NULL). NULL in, NULL out. The result is ra in [0, 360) and dec, degrees.
-- Errors raised: none.
-- Locks taken: none.

-- Every second bit of a number, from the lowest on: what spread_bits spreads.
CREATE OR REPLACE FUNCTION sky.gather_bits_v1(number bigint)
    RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    number := number & 6148914691236517205;
    number := (number | (number >> 1)) & 3689348814741910323;
    number := (number | (number >> 2)) & 1085102592571150095;
    number := (number | (number >> 4)) & 71777214294589695;
    number := (number | (number >> 8)) & 281470681808895;
    RETURN (number | (number >> 16)) & 4294967295;
END
$$;

CREATE OR REPLACE FUNCTION sky.ivo_healpix_center_v1(healpix_order integer, healpix_index bigint)
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    nside bigint;
    face bigint;
    ix bigint;
    iy bigint;
    ring bigint;
    -- Pixels in a quarter of the ring, and the place along it in half pixels.
    width bigint;
    place bigint;
    z double precision;
    depth double precision;
    radius double precision;
BEGIN
    IF healpix_order IS NULL OR healpix_order NOT BETWEEN 0 AND 29 OR healpix_index IS NULL
        OR healpix_index < 0 OR healpix_index >> (2 * healpix_order) >= 12
    THEN
        RETURN NULL;
    END IF;
    nside := 1::bigint << healpix_order;
    face := healpix_index >> (2 * healpix_order);
    ix := sky.gather_bits_v1(healpix_index & (nside * nside - 1));
    iy := sky.gather_bits_v1((healpix_index & (nside * nside - 1)) >> 1);
    ring := (face / 4 + 2) * nside - ix - iy - 1;
    width := LEAST(ring, 4 * nside - ring, nside);
    place := CASE face / 4 WHEN 1 THEN 2 * (face % 4) ELSE 2 * (face % 4) + 1 END * width + ix - iy;
    place := CASE WHEN place < 0 THEN place + 8 * width ELSE place END;
    IF width < nside THEN
        depth := width::double precision * width / (3.0::double precision * nside * nside);
        z := CASE WHEN ring < nside THEN 1 - depth ELSE depth - 1 END;
        radius := sqrt(depth * (2 - depth));
    ELSE
        z := (2 * nside - ring) * (2.0::double precision / 3) / nside;
        radius := sqrt((1 - z) * (1 + z));
    END IF;
    RETURN ARRAY[45.0::double precision * place / width, degrees(atan2(z, radius))];
END
$$;
