-- Points in polygons whose edges are great circles and which fit in a hemisphere, edges inside.
-- The polygon is projected from the sphere's centre onto the plane that touches it at the mean of
-- the vertices: great circles become lines, and the even-odd rule decides.
-- Arguments: doubles, degrees; numbers, ra1, dec1, ra2, dec2..., a list. NULL in, NULL out.
-- Errors raised: none for polygons that schema.region.check_shape lets pass.
-- Locks taken: none.

-- A position as a unit vector.
CREATE OR REPLACE MACRO sky.unit_vector_v1(ra, dec) AS
    [
        cos(radians(dec)) * cos(radians(ra)),
        cos(radians(dec)) * sin(radians(ra)),
        sin(radians(dec))
    ];

-- A vector of three numbers, made a unit vector.
CREATE OR REPLACE MACRO sky.normalised_v1(vector) AS
    list_transform(
        [vector],
        lambda a: list_transform(a, lambda n: n / sqrt(a[1] * a[1] + a[2] * a[2] + a[3] * a[3]))
    )[1];

CREATE OR REPLACE MACRO sky.cross_product_v1(a, b) AS
    [a[2] * b[3] - a[3] * b[2], a[3] * b[1] - a[1] * b[3], a[1] * b[2] - a[2] * b[1]];

CREATE OR REPLACE MACRO sky.inner_product_v1(a, b) AS
    a[1] * b[1] + a[2] * b[2] + a[3] * b[3];

-- What in_polygon needs of a polygon, once a statement: the centre, two axes across it, and the
-- vertices in the plane, the first one again at the end.
CREATE OR REPLACE MACRO sky.polygon_frame_v1(numbers) AS
    list_transform(list_transform(list_transform(list_transform(
        [list_transform(
            range(1, len(numbers) // 2 + 1),
            lambda i: sky.unit_vector_v1(numbers[2 * i - 1], numbers[2 * i])
        )],
        lambda corners: {
            'corners': corners,
            'c': sky.normalised_v1([
                list_sum(list_transform(corners, lambda p: p[1])),
                list_sum(list_transform(corners, lambda p: p[2])),
                list_sum(list_transform(corners, lambda p: p[3]))
            ])
        }),
        lambda f: {
            'corners': f.corners,
            'c': f.c,
            -- Across: the axis z or x, whichever is farther from the centre, times the centre.
            'u': sky.normalised_v1(CASE
                WHEN abs(f.c[3]) < 0.6e0 THEN [-f.c[2], f.c[1], 0e0]
                ELSE [0e0, -f.c[3], f.c[2]]
            END)
        }),
        lambda f: {
            'corners': f.corners, 'c': f.c, 'u': f.u, 'v': sky.cross_product_v1(f.c, f.u)
        }),
        lambda f: {
            'c': f.c,
            'u': f.u,
            'v': f.v,
            'x': list_transform(
                list_append(f.corners, f.corners[1]),
                lambda p: sky.inner_product_v1(p, f.u) / sky.inner_product_v1(p, f.c)
            ),
            'y': list_transform(
                list_append(f.corners, f.corners[1]),
                lambda p: sky.inner_product_v1(p, f.v) / sky.inner_product_v1(p, f.c)
            )
        }
    )[1];

-- Whether a ray from (x, y) towards +x crosses the edge from (x1, y1) to (x2, y2).
CREATE OR REPLACE MACRO sky.crosses_v1(x, y, x1, y1, x2, y2) AS
    ((y1 > y) <> (y2 > y))
        AND (((x2 - x1) * (y - y1) > (x - x1) * (y2 - y1)) = (y2 - y1 > 0));

-- Where along that edge, 0..1, the point nearest to (x, y) is.
CREATE OR REPLACE MACRO sky.along_v1(x, y, x1, y1, x2, y2) AS
    GREATEST(0e0, LEAST(1e0,
        ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1))
        / GREATEST((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1), 1e-300)
    ));

-- Whether a point of the plane lies in the polygon of a frame.
CREATE OR REPLACE MACRO sky.in_plane_v1(x, y, frame) AS
    len(list_filter(
        range(1, len(frame.x)),
        lambda i: sky.crosses_v1(x, y, frame.x[i], frame.y[i], frame.x[i + 1], frame.y[i + 1])
    )) % 2 = 1
    OR list_bool_or(list_transform(
        range(1, len(frame.x)),
        lambda i: list_transform(
            [sky.along_v1(x, y, frame.x[i], frame.y[i], frame.x[i + 1], frame.y[i + 1])],
            lambda t:
                abs(x - frame.x[i] - t * (frame.x[i + 1] - frame.x[i]))
                + abs(y - frame.y[i] - t * (frame.y[i + 1] - frame.y[i]))
                <= 1e-14 * (1 + x * x + y * y)
        )[1]
    ));

CREATE OR REPLACE MACRO sky.in_frame_v1(p, frame) AS
    sky.inner_product_v1(p, frame.c) > 1e-9 AND list_transform(
        [{
            'x': sky.inner_product_v1(p, frame.u) / sky.inner_product_v1(p, frame.c),
            'y': sky.inner_product_v1(p, frame.v) / sky.inner_product_v1(p, frame.c)
        }],
        lambda q: sky.in_plane_v1(q.x, q.y, frame)
    )[1];

CREATE OR REPLACE MACRO sky.in_polygon_v1(ra, dec, numbers) AS
    CASE WHEN ra IS NOT NULL AND dec IS NOT NULL AND numbers IS NOT NULL THEN
        -- The list keeps the frame a constant that is worked out once.
        list_transform(
            [sky.polygon_frame_v1(numbers)],
            lambda frame: sky.in_frame_v1(sky.unit_vector_v1(ra, dec), frame)
        )[1]
    END;
