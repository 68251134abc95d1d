-- HEALPix (Górski et al. 2005, ApJ 622, 759), NESTED: the pixel that holds a position.
-- Arguments: healpix_order, an integer 0..29 (others give NULL); ra, dec, doubles in degrees, ra of
--   any turn; dec beyond a pole gives NULL. NULL in, NULL out. The steps are those of hpgeom, so
--   that borders agree to the last bit.
-- Errors raised: none.
-- Locks taken: none.

-- The bits of a number below 2^29, a zero between each two.
CREATE OR REPLACE FUNCTION sky.spread_bits_v1(number bigint)
    RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    number := (number | (number << 16)) & 281470681808895;
    number := (number | (number << 8)) & 71777214294589695;
    number := (number | (number << 4)) & 1085102592571150095;
    number := (number | (number << 2)) & 3689348814741910323;
    RETURN (number | (number << 1)) & 6148914691236517205;
END
$$;

CREATE OR REPLACE FUNCTION sky.ivo_healpix_index_v1(
    healpix_order integer, ra double precision, "dec" double precision
)
    RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    turn CONSTANT double precision := 2 * pi();
    nside bigint;
    theta double precision;
    phi double precision;
    z double precision;
    tt double precision;
    width double precision;
    quarter bigint;
    face bigint;
    up bigint;
    down bigint;
    ix bigint;
    iy bigint;
BEGIN
    IF healpix_order IS NULL OR healpix_order NOT BETWEEN 0 AND 29
        OR ra IS NULL OR NOT abs(ra) < 'Infinity'
        OR "dec" IS NULL OR NOT "dec" BETWEEN -90 AND 90
    THEN
        RETURN NULL;
    END IF;
    nside := 1::bigint << healpix_order;
    -- (x + 1e-90 - 1e-90) is x, but 0 below 1e-106: PostgreSQL raises where a product vanishes.
    phi := (ra + 1e-90 - 1e-90) * pi() / 180;
    phi := CASE
        WHEN phi >= 0 AND phi < turn THEN phi
        ELSE phi - turn * floor(phi / turn)
    END;
    theta := pi() / 2 - ("dec" + 1e-90 - 1e-90) * pi() / 180;
    z := cos(theta);
    tt := phi * 0.6366197723675814;
    tt := CASE WHEN tt >= 4 THEN tt - 4 ELSE tt END;
    IF abs(z) <= 0.6666666666666666 THEN
        up := trunc(nside * (0.5 + tt) - nside * (z * 0.75));
        down := trunc(nside * (0.5 + tt) + nside * (z * 0.75));
        quarter := up >> healpix_order;
        face := CASE
            WHEN quarter = down >> healpix_order THEN quarter | 4
            WHEN quarter < down >> healpix_order THEN quarter
            ELSE (down >> healpix_order) + 8
        END;
        ix := down & (nside - 1);
        iy := nside - (up & (nside - 1)) - 1;
    ELSE
        face := LEAST(3, trunc(tt));
        tt := tt - face;
        width := CASE
            WHEN abs(z) >= 0.99 AND theta >= 0.01 AND theta <= 3.14159 - 0.01
                THEN nside * sin(theta) / sqrt((1 + abs(z)) / 3)
            ELSE nside * sqrt(3 * (1 - abs(z)))
        END;
        up := LEAST(nside - 1, trunc(tt * width));
        down := LEAST(nside - 1, trunc((1 - tt) * width));
        IF z >= 0 THEN
            ix := nside - down - 1;
            iy := nside - up - 1;
        ELSE
            face := face + 8;
            ix := up;
            iy := down;
        END IF;
    END IF;
    RETURN (face << (2 * healpix_order))
        + sky.spread_bits_v1(ix) + (sky.spread_bits_v1(iy) << 1);
END
$$;
