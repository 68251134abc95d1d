-- HEALPix (Górski et al. 2005, ApJ 622, 759), NESTED: the pixel that holds a position.
-- Arguments: healpix_order, an integer 0..29 (others give NULL); ra, dec, doubles in degrees, ra of
--   any turn; dec beyond a pole gives NULL. NULL in, NULL out. The steps are those of hpgeom, so
--   that borders agree to the last bit. Lists of one struct stand for local variables.
-- Errors raised: none.
-- Locks taken: none.

-- The bits of each of a list of numbers below 2^29, a zero between each two.
CREATE OR REPLACE MACRO sky.spread_bits_v1(numbers) AS
    list_transform(list_transform(list_transform(list_transform(list_transform(
        numbers,
        lambda n: (n | (n << 16)) & 281470681808895),
        lambda n: (n | (n << 8)) & 71777214294589695),
        lambda n: (n | (n << 4)) & 1085102592571150095),
        lambda n: (n | (n << 2)) & 3689348814741910323),
        lambda n: (n | (n << 1)) & 6148914691236517205);

-- Face, x and y as a list, of a point between the polar caps; t in quarter turns.
CREATE OR REPLACE MACRO sky.belt_place_v1(healpix_order, z, t) AS
    list_transform(
        [{
            'up': trunc((1::BIGINT << healpix_order) * (0.5e0 + t)
                - (1::BIGINT << healpix_order) * (z * 0.75e0))::BIGINT,
            'down': trunc((1::BIGINT << healpix_order) * (0.5e0 + t)
                + (1::BIGINT << healpix_order) * (z * 0.75e0))::BIGINT
        }],
        lambda p: [
            CASE
                WHEN p.up >> healpix_order = p.down >> healpix_order
                    THEN (p.up >> healpix_order) | 4
                WHEN p.up >> healpix_order < p.down >> healpix_order THEN p.up >> healpix_order
                ELSE (p.down >> healpix_order) + 8
            END,
            p.down & ((1::BIGINT << healpix_order) - 1),
            (1::BIGINT << healpix_order) - (p.up & ((1::BIGINT << healpix_order) - 1)) - 1
        ]
    )[1];

-- Likewise in a polar cap; quarter is the number of the quarter turn, t the rest.
CREATE OR REPLACE MACRO sky.cap_place_v1(healpix_order, z, theta, quarter, t) AS
    list_transform(
        list_transform(
            [(1::BIGINT << healpix_order) * CASE
                WHEN abs(z) >= 0.99e0 AND theta >= 0.01e0 AND theta <= 3.14159e0 - 0.01e0
                    THEN sin(theta) / sqrt((1 + abs(z)) / 3)
                ELSE sqrt(3 * (1 - abs(z)))
            END],
            lambda w: {
                'up': LEAST((1::BIGINT << healpix_order) - 1, trunc(t * w)::BIGINT),
                'down': LEAST((1::BIGINT << healpix_order) - 1, trunc((1 - t) * w)::BIGINT)
            }
        ),
        lambda p: CASE
            WHEN z >= 0 THEN [
                quarter,
                (1::BIGINT << healpix_order) - p.down - 1,
                (1::BIGINT << healpix_order) - p.up - 1
            ]
            ELSE [quarter + 8, p.up, p.down]
        END
    )[1];

CREATE OR REPLACE MACRO sky.ivo_healpix_index_v1(healpix_order, ra, dec) AS
    CASE WHEN healpix_order BETWEEN 0 AND 29 AND abs(ra) < 'Infinity'::DOUBLE
        AND dec BETWEEN -90 AND 90
    THEN list_transform(list_transform(list_transform(list_transform(
        [{
            'theta': pi() / 2 - dec * pi() / 180,
            'phi': ra * pi() / 180
        }],
        lambda s: {
            'theta': s.theta,
            'z': cos(s.theta),
            't': CASE
                WHEN s.phi >= 0 AND s.phi < 2 * pi() THEN s.phi
                ELSE s.phi - 2 * pi() * floor(s.phi / (2 * pi()))
            END * 0.6366197723675814e0
        }),
        lambda s: CASE
            WHEN abs(s.z) <= 0.6666666666666666e0
                THEN sky.belt_place_v1(healpix_order, s.z, s.t % 4)
            ELSE sky.cap_place_v1(
                healpix_order, s.z, s.theta,
                LEAST(3, trunc(s.t % 4)::BIGINT), s.t % 4 - LEAST(3, trunc(s.t % 4)::BIGINT)
            )
        END),
        lambda p: [p[1]] || sky.spread_bits_v1([p[2], p[3]])),
        lambda p: (p[1] << (2 * healpix_order)) + p[2] + (p[3] << 1)
    )[1] END;
