-- Points in polygons whose edges are great circles and which fit in a hemisphere, edges inside.
-- The polygon is projected from the sphere's centre onto the plane that touches it at the mean of
-- the vertices: great circles become lines, and the even-odd rule decides.
-- Arguments: doubles, degrees; numbers are ra1, dec1, ra2, dec2... NULL in, NULL out.
-- Errors raised: none for polygons that schema.region.check_shape lets pass.
-- Locks taken: none.

-- A position as a unit vector. (x + 1e-90 - 1e-90) is x, but 0 below 1e-106: PostgreSQL raises
-- where a product vanishes.
CREATE OR REPLACE FUNCTION sky.unit_vector_v1(ra double precision, "dec" double precision)
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY[
        cos(radians("dec" + 1e-90 - 1e-90)) * cos(radians(ra + 1e-90 - 1e-90)),
        cos(radians("dec" + 1e-90 - 1e-90)) * sin(radians(ra + 1e-90 - 1e-90)),
        sin(radians("dec" + 1e-90 - 1e-90))
    ];

-- What in_polygon needs of a polygon, once a statement: the centre, two axes across it (three
-- numbers each), then x, y of every vertex in the plane.
CREATE OR REPLACE FUNCTION sky.polygon_frame_v1(numbers double precision[])
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    c double precision[] := '{0,0,0}';
    u double precision[];
    v double precision[];
    frame double precision[];
    size double precision;
    corner double precision[];
    depth double precision;
BEGIN
    IF numbers IS NULL THEN
        RETURN NULL;
    END IF;
    FOR i IN 1 .. array_length(numbers, 1) / 2 LOOP
        corner := sky.unit_vector_v1(numbers[2 * i - 1], numbers[2 * i]);
        c := ARRAY[c[1] + corner[1], c[2] + corner[2], c[3] + corner[3]];
    END LOOP;
    size := sqrt(c[1] * c[1] + c[2] * c[2] + c[3] * c[3]);
    c := ARRAY[c[1] / size, c[2] / size, c[3] / size];
    -- Across: the axis x or z, whichever is farther from the centre, times the centre.
    u := CASE
        WHEN abs(c[3]) < 0.6 THEN ARRAY[-c[2], c[1], 0]
        ELSE ARRAY[0, -c[3], c[2]]
    END;
    size := sqrt(u[1] * u[1] + u[2] * u[2] + u[3] * u[3]);
    u := ARRAY[u[1] / size, u[2] / size, u[3] / size];
    v := ARRAY[
        c[2] * u[3] - c[3] * u[2],
        c[3] * u[1] - c[1] * u[3],
        c[1] * u[2] - c[2] * u[1]
    ];
    frame := c || u || v;
    FOR i IN 1 .. array_length(numbers, 1) / 2 LOOP
        corner := sky.unit_vector_v1(numbers[2 * i - 1], numbers[2 * i]);
        depth := corner[1] * c[1] + corner[2] * c[2] + corner[3] * c[3];
        frame := frame
            || (corner[1] * u[1] + corner[2] * u[2] + corner[3] * u[3]) / depth
            || (corner[1] * v[1] + corner[2] * v[2] + corner[3] * v[3]) / depth;
    END LOOP;
    RETURN frame;
END
$$;

-- Whether a point lies in the polygon of a frame.
CREATE OR REPLACE FUNCTION sky.in_frame_v1(
    ra double precision, "dec" double precision, frame double precision[]
)
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    p double precision[] := sky.unit_vector_v1(ra, "dec");
    depth double precision := p[1] * frame[1] + p[2] * frame[2] + p[3] * frame[3];
    x double precision;
    y double precision;
    tolerance double precision;
    -- An edge runs from 1 to 2 = 1 + d.
    x1 double precision;
    y1 double precision;
    x2 double precision;
    y2 double precision;
    dx double precision;
    dy double precision;
    along double precision;
    is_inside boolean := false;
BEGIN
    IF depth IS NULL THEN
        RETURN NULL;
    END IF;
    IF depth <= 1e-9 THEN
        RETURN false;
    END IF;
    x := (p[1] * frame[4] + p[2] * frame[5] + p[3] * frame[6]) / depth;
    y := (p[1] * frame[7] + p[2] * frame[8] + p[3] * frame[9]) / depth;
    tolerance := 1e-14 * (1 + x * x + y * y);
    x2 := frame[array_length(frame, 1) - 1];
    y2 := frame[array_length(frame, 1)];
    FOR i IN 5 .. array_length(frame, 1) / 2 LOOP
        x1 := x2;
        y1 := y2;
        x2 := frame[2 * i];
        y2 := frame[2 * i + 1];
        dx := x2 - x1;
        dy := y2 - y1;
        IF ((y1 > y) <> (y2 > y)) AND ((dx * (y - y1) > (x - x1) * dy) = (dy > 0)) THEN
            is_inside := NOT is_inside;
        END IF;
        along := GREATEST(0, LEAST(1,
            ((x - x1) * dx + (y - y1) * dy) / GREATEST(dx * dx + dy * dy, 1e-300)
        ));
        IF abs(x - x1 - along * dx) + abs(y - y1 - along * dy) <= tolerance THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN is_inside;
END
$$;

CREATE OR REPLACE FUNCTION sky.in_polygon_v1(
    ra double precision, "dec" double precision, numbers double precision[]
)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sky.in_frame_v1(ra, "dec", sky.polygon_frame_v1(numbers));
