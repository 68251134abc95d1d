-- The pixel of Q3C, the quad tree cube (Koposov & Bartunov 2006, ASPC 351, 735): the cube's six
-- faces, 0 at the north pole, 1 to 4 around from ra = 0, 5 at the south pole; each seen from the
-- centre and cut into 2^30 x 2^30 squares, numbered in z-order.
-- Arguments: doubles, degrees; ra of any turn. NULL in, NULL out; so is what is not finite; dec
--   beyond a pole is the pole. Lists of one struct stand for local variables.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.gavo_ipix_v1(ra, dec) AS
    CASE WHEN abs(ra) < 'Infinity'::DOUBLE AND abs(dec) < 'Infinity'::DOUBLE
    THEN list_transform(list_transform(list_transform(list_transform(list_transform(
        [{
            'ra': ra - 360 * floor((ra + 1e-90 - 1e-90) / 360),
            'd': radians(LEAST(90e0, GREATEST(-90e0, dec + 1e-90 - 1e-90)))
        }],
        lambda s: {'ra': s.ra, 'd': s.d, 'face': trunc((s.ra + 45) / 90)::BIGINT % 4}),
        lambda s: {
            'ra': s.ra,
            'd': s.d,
            'face': s.face,
            'y': tan(s.d) / cos(radians(s.ra - 90 * s.face))
        }),
        lambda s: CASE
            WHEN abs(s.y) > 1 THEN {
                'face': CASE WHEN s.y > 1 THEN 0::BIGINT ELSE 5::BIGINT END,
                'x': sign(s.y) * sin(radians(s.ra)) / tan(s.d),
                'y': - cos(radians(s.ra)) / tan(s.d)
            }
            ELSE {'face': s.face + 1, 'x': tan(radians(s.ra - 90 * s.face)), 'y': s.y}
        END),
        lambda s: [s.face] || sky.spread_bits_v1([
            GREATEST(0, LEAST(1073741823, floor((s.x / 2 + 0.5e0) * 1073741824)::BIGINT)),
            GREATEST(0, LEAST(1073741823, floor((s.y / 2 + 0.5e0) * 1073741824)::BIGINT))
        ])),
        lambda p: (p[1] << 60) + p[2] + (p[3] << 1)
    )[1] END;
