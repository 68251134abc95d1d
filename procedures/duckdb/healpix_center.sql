-- HEALPix (Górski et al. 2005, ApJ 622, 759), NESTED: the centre of a pixel.
-- Arguments: healpix_order, an integer 0..29; healpix_index, a bigint 0..12 * 4^order - 1 (others
--   give NULL). NULL in, NULL out. The result is ra in [0, 360) and dec, degrees. Lists of one
--   struct stand for local variables.
-- Errors raised: none.
-- Locks taken: none.

-- Every second bit of each of a list of numbers, from the lowest on: what spread_bits spreads.
CREATE OR REPLACE MACRO sky.gather_bits_v1(numbers) AS
    list_transform(list_transform(list_transform(list_transform(list_transform(
        list_transform(numbers, lambda n: n & 6148914691236517205),
        lambda n: (n | (n >> 1)) & 3689348814741910323),
        lambda n: (n | (n >> 2)) & 1085102592571150095),
        lambda n: (n | (n >> 4)) & 71777214294589695),
        lambda n: (n | (n >> 8)) & 281470681808895),
        lambda n: (n | (n >> 16)) & 4294967295);

-- The centre from the ring, the pixels in a quarter of it, and the place along it in half pixels.
CREATE OR REPLACE MACRO sky.ring_place_v1(nside, ring, width, place) AS
    list_transform(
        [CASE
            WHEN width < nside THEN width::DOUBLE * width / (3e0 * nside * nside)
            ELSE (2 * nside - ring) * (2e0 / 3) / nside
        END],
        lambda depth: [
            45e0 * CASE WHEN place < 0 THEN place + 8 * width ELSE place END / width,
            CASE
                WHEN width = nside THEN degrees(atan2(depth, sqrt((1 - depth) * (1 + depth))))
                WHEN ring < nside THEN degrees(atan2(1 - depth, sqrt(depth * (2 - depth))))
                ELSE degrees(atan2(depth - 1, sqrt(depth * (2 - depth))))
            END
        ]
    )[1];

CREATE OR REPLACE MACRO sky.ivo_healpix_center_v1(healpix_order, healpix_index) AS
    CASE WHEN healpix_order BETWEEN 0 AND 29 AND healpix_index >= 0
        AND healpix_index >> (2 * healpix_order) < 12
    THEN list_transform(list_transform(list_transform(
        [{
            'nside': 1::BIGINT << healpix_order,
            'face': healpix_index >> (2 * healpix_order),
            'xy': sky.gather_bits_v1([
                healpix_index & ((1::BIGINT << (2 * healpix_order)) - 1),
                (healpix_index & ((1::BIGINT << (2 * healpix_order)) - 1)) >> 1
            ])
        }],
        lambda s: {
            'nside': s.nside,
            'ring': (s.face // 4 + 2) * s.nside - s.xy[1] - s.xy[2] - 1,
            'eighth': 2 * (s.face % 4) + CASE s.face // 4 WHEN 1 THEN 0 ELSE 1 END,
            'along': s.xy[1] - s.xy[2]
        }),
        lambda s: {
            'nside': s.nside,
            'ring': s.ring,
            'width': LEAST(s.ring, 4 * s.nside - s.ring, s.nside),
            'eighth': s.eighth,
            'along': s.along
        }),
        lambda s: sky.ring_place_v1(s.nside, s.ring, s.width, s.eighth * s.width + s.along)
    )[1] END;
