-- Geometries as arrays, and how two regions lie to each other. All in degrees.
-- Arguments: a point is (ra, dec), a circle (ra, dec, radius), a box (ra, dec, width, height) whose
--   sides lie on meridians and parallels, a polygon (ra1, dec1, ra2, dec2...) whose edges are great
--   circles and which fits in the hemisphere around its vertices. Edges belong to regions. NULL in,
--   NULL out; a geometry of which a number is NULL is NULL.
-- Errors raised: a text that is no array of numbers.
-- Locks taken: none.

-- ---------------------------------------------------------------- values

CREATE OR REPLACE FUNCTION sky.point_v1(ra double precision, "dec" double precision)
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ra + "dec" IS NOT NULL THEN ARRAY[ra, "dec"] END;

CREATE OR REPLACE FUNCTION sky.circle_v1(
    ra double precision, "dec" double precision, radius double precision
)
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ra + "dec" + radius IS NOT NULL THEN ARRAY[ra, "dec", radius] END;

CREATE OR REPLACE FUNCTION sky.polygon_v1(numbers double precision[])
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN array_position(numbers, NULL) IS NULL THEN numbers END;

-- The corners of a box as a polygon: what a box is where it leaves its expression.
CREATE OR REPLACE FUNCTION sky.box_corners_v1(
    ra double precision, "dec" double precision, width double precision, height double precision
)
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ra + "dec" + width + height IS NOT NULL THEN ARRAY[
        ra - width / 2 - 360 * floor((ra - width / 2) / 360), GREATEST(-90, "dec" - height / 2),
        ra + width / 2 - 360 * floor((ra + width / 2) / 360), GREATEST(-90, "dec" - height / 2),
        ra + width / 2 - 360 * floor((ra + width / 2) / 360), LEAST(90, "dec" + height / 2),
        ra - width / 2 - 360 * floor((ra - width / 2) / 360), LEAST(90, "dec" + height / 2)
    ] END;

CREATE OR REPLACE FUNCTION sky.coordinate_v1(geometry double precision[], place integer)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN geometry[place];

-- ---------------------------------------------------------------- areas and centres

CREATE OR REPLACE FUNCTION sky.circle_area_v1(radius double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN degrees(degrees(4 * pi())) * power(sin(radians(radius + 1e-90 - 1e-90) / 2), 2);

CREATE OR REPLACE FUNCTION sky.box_area_v1(
    "dec" double precision, width double precision, height double precision
)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN "dec" + width + height IS NOT NULL THEN
        degrees(2 * (width + 1e-90 - 1e-90))
        * cos(radians((LEAST(90, "dec" + height / 2) + GREATEST(-90, "dec" - height / 2)) / 2))
        * sin(radians((LEAST(90, "dec" + height / 2) - GREATEST(-90, "dec" - height / 2)) / 2))
    END;

-- The vertices' unit vectors one after the other, the first one again at the end.
CREATE OR REPLACE FUNCTION sky.corners_v1(numbers double precision[])
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    found double precision[] := '{}';
BEGIN
    FOR i IN 1 .. array_length(numbers, 1) / 2 LOOP
        found := found || sky.unit_vector_v1(numbers[2 * i - 1], numbers[2 * i]);
    END LOOP;
    RETURN found || found[1:3];
END
$$;

-- The area (steradians, of either sign) and, by numbers 2 to 4, the centre of mass of a polygon:
-- a fan of triangles around the mean of the vertices, each by Van Oosterom & Strackee (1983).
CREATE OR REPLACE FUNCTION sky.polygon_fan_v1(numbers double precision[])
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v double precision[];
    c double precision[] := '{0,0,0}';
    a double precision[];
    b double precision[];
    n double precision[];
    size double precision;
    triple double precision;
    excess double precision;
    angle double precision;
    total double precision := 0;
    widest double precision := 0;
    fan double precision[] := '{0,0,0}';
    moment double precision[] := '{0,0,0}';
BEGIN
    IF numbers IS NULL THEN
        RETURN NULL;
    END IF;
    v := sky.corners_v1(numbers);
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        c := ARRAY[c[1] + v[3*i+1], c[2] + v[3*i+2], c[3] + v[3*i+3]];
    END LOOP;
    size := sqrt(c[1] * c[1] + c[2] * c[2] + c[3] * c[3]);
    c := ARRAY[c[1] / size, c[2] / size, c[3] / size];
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        a := v[3*i+1 : 3*i+3];
        b := v[3*i+4 : 3*i+6];
        triple := c[1] * ((a[2] - c[2]) * (b[3] - c[3]) - (a[3] - c[3]) * (b[2] - c[2]))
            + c[2] * ((a[3] - c[3]) * (b[1] - c[1]) - (a[1] - c[1]) * (b[3] - c[3]))
            + c[3] * ((a[1] - c[1]) * (b[2] - c[2]) - (a[2] - c[2]) * (b[1] - c[1]));
        excess := 2 * atan2(triple,
            1 + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] + b[1] * c[1] + b[2] * c[2] + b[3] * c[3]
            + c[1] * a[1] + c[2] * a[2] + c[3] * a[3]);
        total := total + excess;
        fan := ARRAY[
            fan[1] + excess * (a[1] + b[1] + c[1]) / 3, fan[2] + excess * (a[2] + b[2] + c[2]) / 3,
            fan[3] + excess * (a[3] + b[3] + c[3]) / 3];
        n := sky.edge_normal_v1(a, b);
        angle := 2 * asin(LEAST(1, sqrt(sky.chord_v1(a, b)) / 2));
        moment := ARRAY[
            moment[1] + angle * n[1], moment[2] + angle * n[2], moment[3] + angle * n[3]];
        widest := GREATEST(widest, sky.chord_v1(a, c));
    END LOOP;
    -- Exact for large ones (half the sum of the edges' normals times their lengths), which has no
    -- digits left for small ones, where triangles are flat.
    IF widest > 1e-6 THEN
        fan := moment;
    END IF;
    size := sqrt(fan[1] * fan[1] + fan[2] * fan[2] + fan[3] * fan[3]);
    IF size < 1e-200 THEN
        RETURN ARRAY[total] || c;
    END IF;
    size := CASE WHEN total < 0 THEN - size ELSE size END;
    RETURN ARRAY[total, fan[1] / size, fan[2] / size, fan[3] / size];
END
$$;

CREATE OR REPLACE FUNCTION sky.polygon_area_v1(numbers double precision[])
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN degrees(degrees(abs((sky.polygon_fan_v1(numbers))[1])));

CREATE OR REPLACE FUNCTION sky.direction_v1(p double precision[])
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN p IS NOT NULL THEN ARRAY[
        degrees(atan2(p[2], p[1])) + CASE WHEN p[2] < 0 THEN 360 ELSE 0 END,
        degrees(atan2(p[3], sqrt(p[1] * p[1] + p[2] * p[2])))
    ] END;

CREATE OR REPLACE FUNCTION sky.polygon_centroid_v1(numbers double precision[])
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sky.direction_v1((sky.polygon_fan_v1(numbers))[2:4]);

-- ---------------------------------------------------------------- edges

-- The squared length of the chord between two unit vectors.
CREATE OR REPLACE FUNCTION sky.chord_v1(a double precision[], b double precision[])
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN power(a[1] - b[1], 2) + power(a[2] - b[2], 2) + power(a[3] - b[3], 2);

-- The unit vector on the left of the edge from a to b; zeros for an edge without length.
CREATE OR REPLACE FUNCTION sky.edge_normal_v1(a double precision[], b double precision[])
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    x double precision := a[2] * (b[3] - a[3]) - a[3] * (b[2] - a[2]);
    y double precision := a[3] * (b[1] - a[1]) - a[1] * (b[3] - a[3]);
    z double precision := a[1] * (b[2] - a[2]) - a[2] * (b[1] - a[1]);
    size double precision := GREATEST(sqrt(x * x + y * y + z * z), 1e-150);
BEGIN
    RETURN ARRAY[x / size, y / size, z / size];
END
$$;

CREATE OR REPLACE FUNCTION sky.inner_v1(a double precision[], b double precision[])
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a[1] * b[1] + a[2] * b[2] + a[3] * b[3];

-- Degrees from a point to the edge from a to b.
CREATE OR REPLACE FUNCTION sky.edge_distance_v1(
    p double precision[], a double precision[], b double precision[]
)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    n double precision[] := sky.edge_normal_v1(a, b);
BEGIN
    -- Beside the edge: beyond neither end, seen along it.
    IF p[1] * (n[2] * a[3] - n[3] * a[2]) + p[2] * (n[3] * a[1] - n[1] * a[3])
            + p[3] * (n[1] * a[2] - n[2] * a[1]) > 0
        AND p[1] * (b[2] * n[3] - b[3] * n[2]) + p[2] * (b[3] * n[1] - b[1] * n[3])
            + p[3] * (b[1] * n[2] - b[2] * n[1]) > 0
    THEN
        RETURN degrees(asin(LEAST(1, abs(sky.inner_v1(n, p)))));
    END IF;
    RETURN degrees(2 * asin(LEAST(1, sqrt(LEAST(sky.chord_v1(p, a), sky.chord_v1(p, b))) / 2)));
END
$$;

-- Whether the inner points of two edges cross.
CREATE OR REPLACE FUNCTION sky.edges_cross_v1(
    a double precision[], b double precision[], c double precision[], d double precision[]
)
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    n double precision[] := sky.edge_normal_v1(a, b);
    m double precision[];
    c_is double precision := sky.inner_v1(n, c);
    d_is double precision := sky.inner_v1(n, d);
BEGIN
    IF abs(c_is) < 1e-14 OR abs(d_is) < 1e-14 OR (c_is > 0) = (d_is > 0) THEN
        RETURN false;
    END IF;
    m := sky.edge_normal_v1(c, d);
    -- Of the two antipodal points where the circles meet, both edges hold the same one.
    RETURN CASE WHEN c_is < 0
        THEN sky.inner_v1(m, a) > 1e-14 AND sky.inner_v1(m, b) < -1e-14
        ELSE sky.inner_v1(m, a) < -1e-14 AND sky.inner_v1(m, b) > 1e-14
    END;
END
$$;

CREATE OR REPLACE FUNCTION sky.middle_v1(a double precision[], b double precision[])
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sky.direction_v1(ARRAY[a[1] + b[1], a[2] + b[2], a[3] + b[3]]);

-- ---------------------------------------------------------------- polygons

-- Degrees from a point to a polygon's edges; 0 inside where not `is_rim`.
CREATE OR REPLACE FUNCTION sky.polygon_distance_v1(
    numbers double precision[], ra double precision, "dec" double precision, is_rim boolean
)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v double precision[];
    p double precision[];
    found double precision;
BEGIN
    IF numbers IS NULL OR ra + "dec" IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT is_rim AND sky.in_polygon_v1(ra, "dec", numbers) THEN
        RETURN 0;
    END IF;
    v := sky.corners_v1(numbers);
    p := sky.unit_vector_v1(ra, "dec");
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        found := LEAST(
            found, sky.edge_distance_v1(p, v[3*i+1 : 3*i+3], v[3*i+4 : 3*i+6])
        );
    END LOOP;
    RETURN found;
END
$$;

-- Whether edges of two polygons cross.
CREATE OR REPLACE FUNCTION sky.polygons_cross_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v double precision[] := sky.corners_v1(a);
    w double precision[] := sky.corners_v1(b);
BEGIN
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        FOR j IN 0 .. array_length(w, 1) / 3 - 2 LOOP
            IF sky.edges_cross_v1(
                v[3*i+1 : 3*i+3], v[3*i+4 : 3*i+6], w[3*j+1 : 3*j+3], w[3*j+4 : 3*j+6]
            ) THEN
                RETURN true;
            END IF;
        END LOOP;
    END LOOP;
    RETURN false;
END
$$;

-- How many of a polygon's vertices lie in a polygon (4 numbers: in a box).
CREATE OR REPLACE FUNCTION sky.vertices_in_v1(a double precision[], b double precision[])
    RETURNS integer
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    found integer := 0;
BEGIN
    FOR i IN 1 .. array_length(a, 1) / 2 LOOP
        found := found + CAST((
            CASE WHEN array_length(b, 1) = 4
                THEN sky.in_box_v1(a[2 * i - 1], a[2 * i], b[1], b[2], b[3], b[4])
                ELSE sky.in_polygon_v1(a[2 * i - 1], a[2 * i], b)
            END
        ) AS integer);
    END LOOP;
    RETURN found;
END
$$;

-- ---------------------------------------------------------------- boxes

-- How far two right ascensions are apart, 0..180.
CREATE OR REPLACE FUNCTION sky.turn_v1(a double precision, b double precision)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN LEAST(
        abs(a - b) - 360 * floor(abs(a - b) / 360),
        360 - (abs(a - b) - 360 * floor(abs(a - b) / 360))
    );

-- Degrees from a point to the piece of the meridian `side` between two parallels.
CREATE OR REPLACE FUNCTION sky.meridian_distance_v1(
    ra double precision, "dec" double precision, side double precision, south double precision,
    north double precision
)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    t double precision := radians(sky.turn_v1(ra, side));
    foot double precision := degrees(atan2(sin(radians("dec")), cos(radians("dec")) * cos(t)));
BEGIN
    IF cos(t) > 0 AND foot BETWEEN south AND north THEN
        RETURN degrees(asin(LEAST(1, sin(t) * cos(radians("dec")))));
    END IF;
    RETURN LEAST(
        sky.separation_v1(ra, "dec", side, south), sky.separation_v1(ra, "dec", side, north)
    );
END
$$;

-- Degrees from a point to a box's sides (360 where it has none); 0 inside where not `is_rim`.
CREATE OR REPLACE FUNCTION sky.box_distance_v1(
    box double precision[], ra double precision, "dec" double precision, is_rim boolean
)
    RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    south double precision := GREATEST(-90, box[2] - box[4] / 2);
    north double precision := LEAST(90, box[2] + box[4] / 2);
    is_over boolean := sky.turn_v1(ra, box[1]) <= box[3] / 2;
BEGIN
    IF box IS NULL OR ra + "dec" IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT is_rim AND is_over AND "dec" BETWEEN south AND north THEN
        RETURN 0;
    END IF;
    RETURN LEAST(
        360,
        CASE WHEN is_over AND south > -90 THEN abs("dec" - south) END,
        CASE WHEN is_over AND north < 90 THEN abs("dec" - north) END,
        CASE WHEN box[3] < 360 THEN
            sky.meridian_distance_v1(ra, "dec", box[1] - box[3] / 2, south, north) END,
        CASE WHEN box[3] < 360 THEN
            sky.meridian_distance_v1(ra, "dec", box[1] + box[3] / 2, south, north) END
    );
END
$$;

-- A box's meridian sides as four edges (twelve vectors' numbers each six): two a side.
CREATE OR REPLACE FUNCTION sky.box_sides_v1(box double precision[])
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    south double precision := GREATEST(-90, box[2] - box[4] / 2);
    north double precision := LEAST(90, box[2] + box[4] / 2);
    middle double precision := (south + north) / 2;
    west double precision := box[1] - box[3] / 2;
    east double precision := box[1] + box[3] / 2;
BEGIN
    IF box[3] >= 360 THEN
        RETURN '{}';
    END IF;
    RETURN sky.unit_vector_v1(west, south) || sky.unit_vector_v1(west, middle)
        || sky.unit_vector_v1(west, middle) || sky.unit_vector_v1(west, north)
        || sky.unit_vector_v1(east, south) || sky.unit_vector_v1(east, middle)
        || sky.unit_vector_v1(east, middle) || sky.unit_vector_v1(east, north);
END
$$;

-- Where the edge from a to b is nearest to a pole, the point as (ra, dec); NULL where that is an end.
CREATE OR REPLACE FUNCTION sky.apex_v1(a double precision[], b double precision[])
    RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    n double precision[] := sky.edge_normal_v1(a, b);
    p double precision[] := ARRAY[- n[1] * n[3], - n[2] * n[3], 1 - n[3] * n[3]];
    size double precision := sqrt(sky.inner_v1(p, p));
BEGIN
    IF size < 1e-12 THEN
        RETURN NULL;
    END IF;
    p := ARRAY[p[1] / size, p[2] / size, p[3] / size];
    IF sky.inner_v1(p, ARRAY[a[1] + b[1], a[2] + b[2], a[3] + b[3]]) < 0 THEN
        p := ARRAY[- p[1], - p[2], - p[3]];
    END IF;
    -- Between the ends: nearer to either than they are to each other.
    IF GREATEST(sky.chord_v1(p, a), sky.chord_v1(p, b)) < sky.chord_v1(a, b) THEN
        RETURN sky.direction_v1(p);
    END IF;
    RETURN NULL;
END
$$;

-- Whether the edge from a to b meets a box's side on the parallel `side`.
CREATE OR REPLACE FUNCTION sky.meets_parallel_v1(
    a double precision[], b double precision[], box double precision[], side double precision
)
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    angle double precision := 2 * asin(LEAST(1, sqrt(sky.chord_v1(a, b)) / 2));
    n double precision[] := sky.edge_normal_v1(a, b);
    -- Along the edge from a: a cos(t) + u sin(t).
    u double precision[] := ARRAY[
        n[2] * a[3] - n[3] * a[2], n[3] * a[1] - n[1] * a[3], n[1] * a[2] - n[2] * a[1]];
    tilt double precision := sqrt(a[3] * a[3] + u[3] * u[3]);
    top double precision := atan2(u[3], a[3]);
    t double precision;
    found double precision[];
BEGIN
    IF abs(sin(radians(side))) > tilt OR tilt < 1e-15 THEN
        RETURN false;
    END IF;
    FOREACH t IN ARRAY ARRAY[
        top + acos(sin(radians(side)) / tilt), top - acos(sin(radians(side)) / tilt)
    ] LOOP
        t := t - 2 * pi() * floor(t / (2 * pi()));
        IF t < angle THEN
            found := sky.direction_v1(ARRAY[
                a[1] * cos(t) + u[1] * sin(t), a[2] * cos(t) + u[2] * sin(t),
                a[3] * cos(t) + u[3] * sin(t)]);
            IF sky.turn_v1(found[1], box[1]) < box[3] / 2 THEN
                RETURN true;
            END IF;
        END IF;
    END LOOP;
    RETURN false;
END
$$;

-- Whether an edge of a polygon meets a box's side: its meridians, its parallels where `with_parallels`.
CREATE OR REPLACE FUNCTION sky.polygon_crosses_box_v1(
    numbers double precision[], box double precision[], with_parallels boolean
)
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v double precision[] := sky.corners_v1(numbers);
    sides double precision[] := sky.box_sides_v1(box);
    a double precision[];
    b double precision[];
BEGIN
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        a := v[3*i+1 : 3*i+3];
        b := v[3*i+4 : 3*i+6];
        FOR j IN 0 .. COALESCE(array_length(sides, 1), 0) / 6 - 1 LOOP
            IF sky.edges_cross_v1(a, b, sides[6*j+1 : 6*j+3], sides[6*j+4 : 6*j+6]) THEN
                RETURN true;
            END IF;
        END LOOP;
        IF with_parallels AND (
            box[2] - box[4] / 2 > -90 AND sky.meets_parallel_v1(a, b, box, box[2] - box[4] / 2)
            OR box[2] + box[4] / 2 < 90 AND sky.meets_parallel_v1(a, b, box, box[2] + box[4] / 2)
        ) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;

-- Whether an edge's point that is nearest to a pole, or its middle, is outside a box (`is_inside`
-- false) or well inside of it.
CREATE OR REPLACE FUNCTION sky.edges_reach_v1(
    numbers double precision[], box double precision[], is_inside boolean
)
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v double precision[] := sky.corners_v1(numbers);
    p double precision[];
    edge double precision := CASE WHEN is_inside THEN -1e-12 ELSE 1e-12 END;
    is_in boolean;
BEGIN
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        FOREACH p SLICE 1 IN ARRAY ARRAY[
            COALESCE(
                sky.apex_v1(v[3*i+1 : 3*i+3], v[3*i+4 : 3*i+6]),
                sky.direction_v1(v[3*i+1 : 3*i+3])
            ),
            sky.middle_v1(v[3*i+1 : 3*i+3], v[3*i+4 : 3*i+6])
        ] LOOP
            is_in := abs(p[2] - box[2]) <= box[4] / 2 + edge
                AND (sky.turn_v1(p[1], box[1]) <= box[3] / 2 + edge OR abs(p[2]) > 90 - 1e-9);
            IF is_in = is_inside THEN
                RETURN true;
            END IF;
        END LOOP;
    END LOOP;
    RETURN false;
END
$$;

-- ---------------------------------------------------------------- one region in another

-- A region lies in a circle where it keeps away from the rest of the sky: the circle of the rest of
-- 180 degrees around the opposite point.
CREATE OR REPLACE FUNCTION sky.circle_in_circle_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        b[3] >= 180 OR sky.separation_v1(a[1], a[2], b[1], b[2]) + a[3] <= b[3] + 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.polygon_in_circle_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.polygon_distance_v1(a, b[1] + 180, - b[2], false) >= 180 - b[3] - 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.box_in_circle_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.box_distance_v1(a, b[1] + 180, - b[2], false) >= 180 - b[3] - 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.circle_in_polygon_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.in_polygon_v1(a[1], a[2], b)
            AND sky.polygon_distance_v1(b, a[1], a[2], true) >= a[3] - 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.polygon_in_polygon_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    v double precision[];
    p double precision[];
BEGIN
    IF a IS NULL OR b IS NULL THEN
        RETURN NULL;
    END IF;
    IF sky.vertices_in_v1(a, b) < array_length(a, 1) / 2 OR sky.polygons_cross_v1(a, b) THEN
        RETURN false;
    END IF;
    v := sky.corners_v1(a);
    FOR i IN 0 .. array_length(v, 1) / 3 - 2 LOOP
        p := sky.middle_v1(v[3*i+1 : 3*i+3], v[3*i+4 : 3*i+6]);
        IF sky.polygon_distance_v1(b, p[1], p[2], false) > 1e-12 THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION sky.box_in_polygon_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF a IS NULL OR b IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN sky.vertices_in_v1(sky.box_corners_v1(a[1], a[2], a[3], a[4]), b) = 4
        AND NOT sky.edges_reach_v1(b, a, true)
        AND NOT sky.polygon_crosses_box_v1(b, a, false);
END
$$;

CREATE OR REPLACE FUNCTION sky.circle_in_box_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.in_box_v1(a[1], a[2], b[1], b[2], b[3], b[4])
            AND sky.box_distance_v1(b, a[1], a[2], true) >= a[3] - 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.polygon_in_box_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF a IS NULL OR b IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN sky.vertices_in_v1(a, b) = array_length(a, 1) / 2
        AND NOT sky.edges_reach_v1(a, b, false)
        AND NOT sky.polygon_crosses_box_v1(a, b, false);
END
$$;

CREATE OR REPLACE FUNCTION sky.box_in_box_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        GREATEST(-90, a[2] - a[4] / 2) >= b[2] - b[4] / 2 - 1e-13
            AND LEAST(90, a[2] + a[4] / 2) <= b[2] + b[4] / 2 + 1e-13
            AND (b[3] >= 360 OR sky.turn_v1(a[1], b[1]) + a[3] / 2 <= b[3] / 2 + 1e-13)
    END;

-- ---------------------------------------------------------------- regions that meet

CREATE OR REPLACE FUNCTION sky.circle_meets_circle_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.separation_v1(a[1], a[2], b[1], b[2]) <= a[3] + b[3] + 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.circle_meets_polygon_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.polygon_distance_v1(b, a[1], a[2], false) <= a[3] + 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.circle_meets_box_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        sky.box_distance_v1(b, a[1], a[2], false) <= a[3] + 1e-13
    END;

CREATE OR REPLACE FUNCTION sky.polygon_meets_polygon_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF a IS NULL OR b IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN sky.vertices_in_v1(a, b) > 0 OR sky.vertices_in_v1(b, a) > 0
        OR sky.polygons_cross_v1(a, b);
END
$$;

CREATE OR REPLACE FUNCTION sky.polygon_meets_box_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF a IS NULL OR b IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN sky.vertices_in_v1(a, b) > 0
        OR sky.vertices_in_v1(sky.box_corners_v1(b[1], b[2], b[3], b[4]), a) > 0
        OR sky.polygon_crosses_box_v1(a, b, true);
END
$$;

CREATE OR REPLACE FUNCTION sky.box_meets_box_v1(a double precision[], b double precision[])
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
        abs(a[2] - b[2]) <= (a[4] + b[4]) / 2 + 1e-13
            AND sky.turn_v1(a[1], b[1]) <= (a[3] + b[3]) / 2 + 1e-13
    END;

-- ---------------------------------------------------------------- geometries as text (DALI 1.1, 3.3)

CREATE OR REPLACE FUNCTION sky.text_to_doubles_v1(t text)
    RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sky.polygon_v1(array_replace(CAST(
        string_to_array(NULLIF(btrim(regexp_replace(t, '\s+', ' ', 'g'), ' '), ''), ' ')
        AS double precision[]), 'NaN', NULL));

CREATE OR REPLACE FUNCTION sky.doubles_to_text_v1(numbers double precision[])
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_string(numbers, ' ');
