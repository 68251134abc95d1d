-- Geometries as arrays, and how two regions lie to each other. All in degrees.
-- Arguments: a point is (ra, dec), a circle (ra, dec, radius), a box (ra, dec, width, height) whose
--   sides lie on meridians and parallels, a polygon (ra1, dec1, ra2, dec2...) whose edges are great
--   circles and which fits in the hemisphere around its vertices. Edges belong to regions. NULL in,
--   NULL out; a geometry of which a number is NULL is NULL.
-- Errors raised: a text that is no array of numbers.
-- Locks taken: none.
-- A list of one element binds a name to what is then worked out once. Names of lambdas are unique in
-- the file: a macro's argument stands inside the macro's lambdas.

-- ---------------------------------------------------------------- values

CREATE OR REPLACE MACRO sky.point_v1(ra, dec) AS
    CASE WHEN ra + dec IS NOT NULL THEN [ra, dec] END;

CREATE OR REPLACE MACRO sky.circle_v1(ra, dec, radius) AS
    CASE WHEN ra + dec + radius IS NOT NULL THEN [ra, dec, radius] END;

CREATE OR REPLACE MACRO sky.polygon_v1(numbers) AS
    CASE WHEN len(list_filter(numbers, lambda one_number: one_number IS NULL)) = 0 THEN numbers END;

-- The corners of a box as a polygon: what a box is where it leaves its expression.
CREATE OR REPLACE MACRO sky.box_corners_v1(ra, dec, width, height) AS
    CASE WHEN ra + dec + width + height IS NOT NULL THEN [
        ra - width / 2 - 360 * floor((ra - width / 2) / 360), GREATEST(-90, dec - height / 2),
        ra + width / 2 - 360 * floor((ra + width / 2) / 360), GREATEST(-90, dec - height / 2),
        ra + width / 2 - 360 * floor((ra + width / 2) / 360), LEAST(90, dec + height / 2),
        ra - width / 2 - 360 * floor((ra - width / 2) / 360), LEAST(90, dec + height / 2)
    ] END;

CREATE OR REPLACE MACRO sky.coordinate_v1(geometry, place) AS
    geometry[place];

-- ---------------------------------------------------------------- edges

-- The squared length of the chord between two unit vectors.
CREATE OR REPLACE MACRO sky.chord_v1(a, b) AS
    (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]) + (a[3] - b[3]) * (a[3] - b[3]);

-- The unit vector on the left of the edge from a to b; zeros for an edge without length.
CREATE OR REPLACE MACRO sky.edge_normal_v1(a, b) AS
    list_transform(
        [[
            a[2] * (b[3] - a[3]) - a[3] * (b[2] - a[2]),
            a[3] * (b[1] - a[1]) - a[1] * (b[3] - a[3]),
            a[1] * (b[2] - a[2]) - a[2] * (b[1] - a[1])
        ]],
        lambda en: list_transform(
            en,
            lambda en_n: en_n / GREATEST(sqrt(en[1] * en[1] + en[2] * en[2] + en[3] * en[3]), 1e-150)
        )
    )[1];

CREATE OR REPLACE MACRO sky.direction_v1(p) AS
    CASE WHEN p IS NOT NULL THEN [
        degrees(atan2(p[2], p[1])) + CASE WHEN p[2] < 0 THEN 360 ELSE 0 END,
        degrees(atan2(p[3], sqrt(p[1] * p[1] + p[2] * p[2])))
    ] END;

CREATE OR REPLACE MACRO sky.middle_v1(a, b) AS
    sky.direction_v1([a[1] + b[1], a[2] + b[2], a[3] + b[3]]);

-- Degrees from a point to the edge from a to b.
CREATE OR REPLACE MACRO sky.edge_distance_v1(p, a, b) AS
    list_transform(
        [sky.edge_normal_v1(a, b)],
        lambda ed: CASE
            -- Beside the edge: beyond neither end, seen along it.
            WHEN sky.inner_product_v1(sky.cross_product_v1(ed, a), p) > 0
                AND sky.inner_product_v1(sky.cross_product_v1(b, ed), p) > 0
            THEN degrees(asin(LEAST(1e0, abs(sky.inner_product_v1(ed, p)))))
            ELSE degrees(2 * asin(LEAST(
                1e0, sqrt(LEAST(sky.chord_v1(p, a), sky.chord_v1(p, b))) / 2
            )))
        END
    )[1];

-- Whether the inner points of two edges cross.
CREATE OR REPLACE MACRO sky.edges_cross_v1(a, b, c, d) AS
    list_transform(
        [{'n': sky.edge_normal_v1(a, b), 'm': sky.edge_normal_v1(c, d)}],
        lambda ec: list_transform(
            [{
                'c': sky.inner_product_v1(ec.n, c), 'd': sky.inner_product_v1(ec.n, d),
                'a': sky.inner_product_v1(ec.m, a), 'b': sky.inner_product_v1(ec.m, b)
            }],
            -- Of the two antipodal points where the circles meet, both edges hold the same one.
            lambda es:
                es.c < -1e-14 AND es.d > 1e-14 AND es.a > 1e-14 AND es.b < -1e-14
                OR es.c > 1e-14 AND es.d < -1e-14 AND es.a < -1e-14 AND es.b > 1e-14
        )[1]
    )[1];

-- A polygon's edges, each with its ends as unit vectors.
CREATE OR REPLACE MACRO sky.edges_v1(numbers) AS
    list_transform(
        range(1, len(numbers) // 2 + 1),
        lambda ee: {
            'a': sky.unit_vector_v1(numbers[2 * ee - 1], numbers[2 * ee]),
            'b': sky.unit_vector_v1(
                numbers[2 * (ee % (len(numbers) // 2)) + 1],
                numbers[2 * (ee % (len(numbers) // 2)) + 2]
            )
        }
    );

-- ---------------------------------------------------------------- areas and centres

CREATE OR REPLACE MACRO sky.circle_area_v1(radius) AS
    degrees(degrees(4 * pi())) * power(sin(radians(radius) / 2), 2);

CREATE OR REPLACE MACRO sky.box_area_v1(dec, width, height) AS
    CASE WHEN dec + width + height IS NOT NULL THEN
        degrees(2 * width)
        * cos(radians((LEAST(90, dec + height / 2) + GREATEST(-90, dec - height / 2)) / 2))
        * sin(radians((LEAST(90, dec + height / 2) - GREATEST(-90, dec - height / 2)) / 2))
    END;

-- One triangle of the fan: its area (steradians), thrice its flat centre, its edge's part of the
-- exact moment, how far its corner is.
CREATE OR REPLACE MACRO sky.triangle_v1(a, b, c) AS
    list_transform(
        [{
            'n': sky.edge_normal_v1(a, b),
            'e': 2 * atan2(
                sky.inner_product_v1(c, sky.cross_product_v1(
                    [a[1] - c[1], a[2] - c[2], a[3] - c[3]], [b[1] - c[1], b[2] - c[2], b[3] - c[3]]
                )),
                1 + sky.inner_product_v1(a, b) + sky.inner_product_v1(b, c)
                + sky.inner_product_v1(c, a)
            ),
            'l': 2 * asin(LEAST(1e0, sqrt(sky.chord_v1(a, b)) / 2))
        }],
        lambda tr: {
            'e': tr.e,
            'x': tr.e * (a[1] + b[1] + c[1]) / 3,
            'y': tr.e * (a[2] + b[2] + c[2]) / 3,
            'z': tr.e * (a[3] + b[3] + c[3]) / 3,
            'mx': tr.l * tr.n[1],
            'my': tr.l * tr.n[2],
            'mz': tr.l * tr.n[3],
            'w': sky.chord_v1(a, c)
        }
    )[1];

-- The triangles of a polygon around the mean of the vertices: Van Oosterom & Strackee (1983).
CREATE OR REPLACE MACRO sky.polygon_fan_v1(numbers) AS
    list_transform(
        [sky.edges_v1(numbers)],
        lambda pf: list_transform(
            [sky.normalised_v1([
                list_sum(list_transform(pf, lambda pf_x: pf_x.a[1])),
                list_sum(list_transform(pf, lambda pf_y: pf_y.a[2])),
                list_sum(list_transform(pf, lambda pf_z: pf_z.a[3]))
            ])],
            lambda pf_c: {
                'c': pf_c,
                't': list_transform(pf, lambda pf_e: sky.triangle_v1(pf_e.a, pf_e.b, pf_c))
            }
        )[1]
    )[1];

CREATE OR REPLACE MACRO sky.polygon_area_v1(numbers) AS
    CASE WHEN numbers IS NOT NULL THEN
        degrees(degrees(abs(list_sum(list_transform(
            sky.polygon_fan_v1(numbers).t, lambda pa: pa.e
        )))))
    END;

-- Exact for large ones (half the sum of the edges' normals times their lengths), which has no
-- digits left for small ones, where triangles are flat.
CREATE OR REPLACE MACRO sky.polygon_centroid_v1(numbers) AS
    CASE WHEN numbers IS NOT NULL THEN
        list_transform(
            [sky.polygon_fan_v1(numbers)],
            lambda pc: list_transform(
                [{
                    'total': list_sum(list_transform(pc.t, lambda pc_e: pc_e.e)),
                    'v': CASE WHEN list_max(list_transform(pc.t, lambda pc_w: pc_w.w)) > 1e-6
                        THEN [
                            list_sum(list_transform(pc.t, lambda pc_x: pc_x.mx)),
                            list_sum(list_transform(pc.t, lambda pc_y: pc_y.my)),
                            list_sum(list_transform(pc.t, lambda pc_z: pc_z.mz))
                        ]
                        ELSE [
                            list_sum(list_transform(pc.t, lambda pc_fx: pc_fx.x)),
                            list_sum(list_transform(pc.t, lambda pc_fy: pc_fy.y)),
                            list_sum(list_transform(pc.t, lambda pc_fz: pc_fz.z))
                        ]
                    END
                }],
                lambda pc_m: sky.direction_v1(CASE
                    WHEN sqrt(sky.inner_product_v1(pc_m.v, pc_m.v)) < 1e-200 THEN pc.c
                    WHEN pc_m.total < 0 THEN [-pc_m.v[1], -pc_m.v[2], -pc_m.v[3]]
                    ELSE pc_m.v
                END)
            )[1]
        )[1]
    END;

-- ---------------------------------------------------------------- polygons

CREATE OR REPLACE MACRO sky.polygon_rim_v1(numbers, ra, dec) AS
    list_transform(
        [sky.unit_vector_v1(ra, dec)],
        lambda pr: list_min(list_transform(
            sky.edges_v1(numbers), lambda pr_e: sky.edge_distance_v1(pr, pr_e.a, pr_e.b)
        ))
    )[1];

-- Degrees from a point to a polygon's edges; 0 inside where not `is_rim`.
CREATE OR REPLACE MACRO sky.polygon_distance_v1(numbers, ra, dec, is_rim) AS
    CASE
        WHEN numbers IS NULL OR ra + dec IS NULL THEN NULL
        WHEN NOT is_rim AND sky.in_polygon_v1(ra, dec, numbers) THEN 0e0
        ELSE sky.polygon_rim_v1(numbers, ra, dec)
    END;

-- Whether edges of two lists cross.
CREATE OR REPLACE MACRO sky.any_cross_v1(ones, others) AS
    coalesce(list_bool_or(list_transform(ones, lambda ac: coalesce(list_bool_or(list_transform(
        others, lambda ac_o: sky.edges_cross_v1(ac.a, ac.b, ac_o.a, ac_o.b)
    )), false))), false);

CREATE OR REPLACE MACRO sky.polygons_cross_v1(a, b) AS
    sky.any_cross_v1(sky.edges_v1(a), sky.edges_v1(b));

-- How many of a polygon's vertices lie in a polygon.
CREATE OR REPLACE MACRO sky.vertices_in_v1(a, b) AS
    list_transform(
        [sky.polygon_frame_v1(b)],
        lambda vi: len(list_filter(
            sky.edges_v1(a), lambda vi_e: sky.in_frame_v1(vi_e.a, vi)
        ))
    )[1];

CREATE OR REPLACE MACRO sky.vertices_in_box_v1(a, b) AS
    len(list_filter(
        range(1, len(a) // 2 + 1),
        lambda vb: sky.in_box_v1(a[2 * vb - 1], a[2 * vb], b[1], b[2], b[3], b[4])
    ));

-- ---------------------------------------------------------------- boxes

-- How far two right ascensions are apart, 0..180.
CREATE OR REPLACE MACRO sky.turn_v1(a, b) AS
    LEAST(
        abs(a - b) - 360 * floor(abs(a - b) / 360),
        360 - (abs(a - b) - 360 * floor(abs(a - b) / 360))
    );

CREATE OR REPLACE MACRO sky.box_south_v1(box) AS GREATEST(-90e0, box[2] - box[4] / 2);
CREATE OR REPLACE MACRO sky.box_north_v1(box) AS LEAST(90e0, box[2] + box[4] / 2);

-- Degrees from a point to the piece of the meridian `side` between two parallels.
CREATE OR REPLACE MACRO sky.meridian_distance_v1(ra, dec, side, south, north) AS
    list_transform(
        [{'t': radians(sky.turn_v1(ra, side)), 's': south, 'n': north}],
        lambda md: CASE
            WHEN cos(md.t) > 0
                AND degrees(atan2(sin(radians(dec)), cos(radians(dec)) * cos(md.t)))
                    BETWEEN md.s AND md.n
            THEN degrees(asin(LEAST(1e0, sin(md.t) * cos(radians(dec)))))
            ELSE LEAST(
                sky.separation_v1(0e0, dec, degrees(md.t), md.s),
                sky.separation_v1(0e0, dec, degrees(md.t), md.n)
            )
        END
    )[1];

-- Degrees from a point to a box's sides (360 where it has none); 0 inside where not `is_rim`.
CREATE OR REPLACE MACRO sky.box_distance_v1(box, ra, dec, is_rim) AS
    CASE
        WHEN box IS NULL OR ra + dec IS NULL THEN NULL
        WHEN NOT is_rim AND sky.turn_v1(ra, box[1]) <= box[3] / 2
            AND dec BETWEEN sky.box_south_v1(box) AND sky.box_north_v1(box)
        THEN 0e0
        ELSE LEAST(
            CASE WHEN sky.turn_v1(ra, box[1]) <= box[3] / 2 AND sky.box_south_v1(box) > -90
                THEN abs(dec - sky.box_south_v1(box)) ELSE 360e0 END,
            CASE WHEN sky.turn_v1(ra, box[1]) <= box[3] / 2 AND sky.box_north_v1(box) < 90
                THEN abs(dec - sky.box_north_v1(box)) ELSE 360e0 END,
            CASE WHEN box[3] < 360 THEN sky.meridian_distance_v1(
                ra, dec, box[1] - box[3] / 2, sky.box_south_v1(box), sky.box_north_v1(box)
            ) ELSE 360e0 END,
            CASE WHEN box[3] < 360 THEN sky.meridian_distance_v1(
                ra, dec, box[1] + box[3] / 2, sky.box_south_v1(box), sky.box_north_v1(box)
            ) ELSE 360e0 END
        )
    END;

CREATE OR REPLACE MACRO sky.meridian_edges_v1(side, south, north) AS
    [
        {
            'a': sky.unit_vector_v1(side, south),
            'b': sky.unit_vector_v1(side, (south + north) / 2)
        },
        {
            'a': sky.unit_vector_v1(side, (south + north) / 2),
            'b': sky.unit_vector_v1(side, north)
        }
    ];

-- A box's meridian sides as edges, two a side.
CREATE OR REPLACE MACRO sky.box_sides_v1(box) AS
    CASE WHEN box[3] < 360 THEN list_concat(
        sky.meridian_edges_v1(box[1] - box[3] / 2, sky.box_south_v1(box), sky.box_north_v1(box)),
        sky.meridian_edges_v1(box[1] + box[3] / 2, sky.box_south_v1(box), sky.box_north_v1(box))
    ) ELSE [] END;

-- The point nearest to a pole on the great circle of the edge from a to b, on the edge's side.
CREATE OR REPLACE MACRO sky.top_v1(a, b) AS
    list_transform(
        [sky.edge_normal_v1(a, b)],
        lambda tp: list_transform(
            [[-tp[1] * tp[3], -tp[2] * tp[3], 1 - tp[3] * tp[3]]],
            lambda tp_p: CASE
                WHEN sqrt(sky.inner_product_v1(tp_p, tp_p)) < 1e-12 THEN NULL
                WHEN sky.inner_product_v1(tp_p, [a[1] + b[1], a[2] + b[2], a[3] + b[3]]) < 0
                    THEN sky.normalised_v1([-tp_p[1], -tp_p[2], -tp_p[3]])
                ELSE sky.normalised_v1(tp_p)
            END
        )[1]
    )[1];

-- Where the edge from a to b is nearest to a pole, the point as (ra, dec); a where that is an end.
CREATE OR REPLACE MACRO sky.apex_v1(a, b) AS
    list_transform(
        [sky.top_v1(a, b)],
        lambda ap: sky.direction_v1(CASE
            -- Between the ends: nearer to either than they are to each other.
            WHEN GREATEST(sky.chord_v1(ap, a), sky.chord_v1(ap, b)) < sky.chord_v1(a, b) THEN ap
            ELSE a
        END)
    )[1];

-- Whether the edge from a to b meets a box's side on the parallel `side`.
CREATE OR REPLACE MACRO sky.meets_parallel_v1(a, b, box, side) AS
    list_transform(
        list_transform(
            [sky.edge_normal_v1(a, b)], lambda mp_n: sky.cross_product_v1(mp_n, a)
        ),
        lambda mp: sqrt(a[3] * a[3] + mp[3] * mp[3]) >= GREATEST(1e-15, abs(sin(radians(side))))
            AND list_bool_or(list_transform(
                [1e0, -1e0],
                lambda mp_s: list_transform(
                    [atan2(mp[3], a[3]) + mp_s * acos(GREATEST(-1e0, LEAST(1e0,
                        sin(radians(side)) / GREATEST(1e-15, sqrt(a[3] * a[3] + mp[3] * mp[3]))
                    )))],
                    -- Along the edge from a: a cos(t) + u sin(t).
                    lambda mp_t: mp_t - 2 * pi() * floor(mp_t / (2 * pi()))
                            < 2 * asin(LEAST(1e0, sqrt(sky.chord_v1(a, b)) / 2))
                        AND sky.turn_v1(
                            degrees(atan2(
                                a[2] * cos(mp_t) + mp[2] * sin(mp_t),
                                a[1] * cos(mp_t) + mp[1] * sin(mp_t)
                            )),
                            box[1]
                        ) < box[3] / 2
                )[1]
            ))
    )[1];

-- Whether an edge of a polygon meets a box's side: its meridians, its parallels where `with_parallels`.
CREATE OR REPLACE MACRO sky.polygon_crosses_box_v1(numbers, box, with_parallels) AS
    list_transform(
        [sky.edges_v1(numbers)],
        lambda pb: sky.any_cross_v1(pb, sky.box_sides_v1(box))
            OR with_parallels AND list_bool_or(list_transform(
                pb,
                lambda pb_e:
                    box[2] - box[4] / 2 > -90
                        AND sky.meets_parallel_v1(pb_e.a, pb_e.b, box, box[2] - box[4] / 2)
                    OR box[2] + box[4] / 2 < 90
                        AND sky.meets_parallel_v1(pb_e.a, pb_e.b, box, box[2] + box[4] / 2)
            ))
    )[1];

-- Whether a point lies in a box that is wider by `edge` on all sides.
CREATE OR REPLACE MACRO sky.reaches_v1(p, box, edge) AS
    abs(p[2] - box[2]) <= box[4] / 2 + edge
        AND (sky.turn_v1(p[1], box[1]) <= box[3] / 2 + edge OR abs(p[2]) > 90 - 1e-9);

-- Whether an edge's point that is nearest to a pole, or its middle, is outside a box (`is_inside`
-- false) or well inside of it.
CREATE OR REPLACE MACRO sky.edges_reach_v1(numbers, box, is_inside) AS
    list_bool_or(list_transform(
        sky.edges_v1(numbers),
        lambda er: list_bool_or(list_transform(
            [sky.apex_v1(er.a, er.b), sky.middle_v1(er.a, er.b)],
            lambda er_p: sky.reaches_v1(
                er_p, box, CASE WHEN is_inside THEN -1e-12 ELSE 1e-12 END
            ) = is_inside
        ))
    ));

-- ---------------------------------------------------------------- one region in another

-- A region lies in a circle where it keeps away from the rest of the sky: the circle of the rest of
-- 180 degrees around the opposite point.
CREATE OR REPLACE MACRO sky.circle_in_circle_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            two[3] >= 180 OR sky.separation_v1(one[1], one[2], two[1], two[2]) + one[3] <= two[3] + 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.polygon_in_circle_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.polygon_distance_v1(one, two[1] + 180, - two[2], false) >= 180 - two[3] - 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.box_in_circle_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.box_distance_v1(one, two[1] + 180, - two[2], false) >= 180 - two[3] - 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.circle_in_polygon_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.in_polygon_v1(one[1], one[2], two)
                AND sky.polygon_distance_v1(two, one[1], one[2], true) >= one[3] - 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.polygon_in_polygon_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.vertices_in_v1(one, two) = len(one) // 2
            AND NOT sky.polygons_cross_v1(one, two)
            AND list_max(list_transform(
                sky.edges_v1(one),
                lambda pp: list_transform(
                    [sky.middle_v1(pp.a, pp.b)],
                    lambda pp_m: sky.polygon_distance_v1(two, pp_m[1], pp_m[2], false)
                )[1]
            )) <= 1e-12
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.box_in_polygon_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            list_transform(
                [sky.box_corners_v1(one[1], one[2], one[3], one[4])],
                lambda bp: sky.vertices_in_v1(bp, two)
            )[1] = 4
            AND NOT sky.edges_reach_v1(two, one, true)
            AND NOT sky.polygon_crosses_box_v1(two, one, false)
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.circle_in_box_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.in_box_v1(one[1], one[2], two[1], two[2], two[3], two[4])
                AND sky.box_distance_v1(two, one[1], one[2], true) >= one[3] - 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.polygon_in_box_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.vertices_in_box_v1(one, two) = len(one) // 2
            AND NOT sky.edges_reach_v1(one, two, false)
            AND NOT sky.polygon_crosses_box_v1(one, two, false)
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.box_in_box_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            GREATEST(-90, one[2] - one[4] / 2) >= two[2] - two[4] / 2 - 1e-13
                AND LEAST(90, one[2] + one[4] / 2) <= two[2] + two[4] / 2 + 1e-13
                AND (two[3] >= 360 OR sky.turn_v1(one[1], two[1]) + one[3] / 2 <= two[3] / 2 + 1e-13)
        END
    )[1])[1];

-- ---------------------------------------------------------------- regions that meet

CREATE OR REPLACE MACRO sky.circle_meets_circle_v1(a, b) AS
    sky.separation_v1(a[1], a[2], b[1], b[2]) <= a[3] + b[3] + 1e-13;

CREATE OR REPLACE MACRO sky.circle_meets_polygon_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.polygon_distance_v1(two, one[1], one[2], false) <= one[3] + 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.circle_meets_box_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.box_distance_v1(two, one[1], one[2], false) <= one[3] + 1e-13
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.polygon_meets_polygon_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.vertices_in_v1(one, two) > 0 OR sky.vertices_in_v1(two, one) > 0 OR sky.polygons_cross_v1(one, two)
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.polygon_meets_box_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            sky.vertices_in_box_v1(one, two) > 0
            OR list_transform(
                [sky.box_corners_v1(two[1], two[2], two[3], two[4])],
                lambda pm: sky.vertices_in_v1(pm, one)
            )[1] > 0
            OR sky.polygon_crosses_box_v1(one, two, true)
        END
    )[1])[1];

CREATE OR REPLACE MACRO sky.box_meets_box_v1(a, b) AS
    list_transform([a], lambda one: list_transform(
        [b], lambda two:
        CASE WHEN one IS NOT NULL AND two IS NOT NULL THEN
            abs(one[2] - two[2]) <= (one[4] + two[4]) / 2 + 1e-13
                AND sky.turn_v1(one[1], two[1]) <= (one[3] + two[3]) / 2 + 1e-13
        END
    )[1])[1];

-- ---------------------------------------------------------------- geometries as text (DALI 1.1, 3.3)

CREATE OR REPLACE MACRO sky.text_to_doubles_v1(t) AS
    sky.polygon_v1(list_transform(
        string_split_regex(NULLIF(sky.trimmed_v1(t), ''), '\s+'),
        lambda td: sky.text_to_double_v1(td)
    ));

CREATE OR REPLACE MACRO sky.doubles_to_text_v1(numbers) AS
    array_to_string(list_transform(numbers, lambda dt: sky.double_to_text_v1(dt)), ' ');
