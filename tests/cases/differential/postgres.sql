-- PostgreSQL's SELECT: queries that must give, over shards, the rows of one unsharded PostgreSQL.
-- Each starts with a line `-- : what it shows`. PostgreSQL itself is asked the same texts, but for
-- those whose line begins with `ours: `, which mean something else here (see qserv/sql/postgres.py).

-- : row_number over everything
SELECT objectId, row_number() OVER (ORDER BY gFlux DESC NULLS LAST, objectId) AS place FROM Object
-- : the brightest of each kind, by a window in a sub-query
SELECT objectId, kind, place FROM (SELECT objectId, kind, rank() OVER (PARTITION BY kind ORDER BY nDet DESC, objectId) AS place FROM Object) AS o WHERE place <= 3 ORDER BY kind, place
-- : a window by the director's key goes to the chunks
SELECT o.objectId, f.mjd, lag(f.mjd) OVER (PARTITION BY o.objectId ORDER BY f.mjd, f.forcedSourceId) AS before FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId
-- : the last detection of each object, by a window
SELECT objectId, mjd FROM (SELECT o.objectId, f.mjd, row_number() OVER (PARTITION BY o.objectId ORDER BY f.mjd DESC, f.forcedSourceId) AS n FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId) AS last WHERE n = 1
-- : a running sum in rows
SELECT visit, sum(visit) OVER (ORDER BY visit ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM Visit
-- : a moving mean over a range of values
SELECT visit, avg(seeing) OVER (ORDER BY mjd RANGE BETWEEN 1.5 PRECEDING AND 1.5 FOLLOWING) AS s FROM Visit
-- : groups of peers without the current row
SELECT visit, band, count(*) OVER (ORDER BY band GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS n FROM Visit
-- : ties left out
SELECT visit, sum(visit) OVER (ORDER BY band ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) AS n FROM Visit
-- : all ranking functions
SELECT visit, rank() OVER w AS r, dense_rank() OVER w AS d, percent_rank() OVER w AS p, cume_dist() OVER w AS c, ntile(4) OVER (ORDER BY mjd, visit) AS q FROM Visit WINDOW w AS (ORDER BY band)
-- : first, last and nth values
SELECT visit, first_value(visit) OVER w AS f, last_value(visit) OVER w AS l, nth_value(visit, 2) OVER w AS n FROM Visit WINDOW w AS (PARTITION BY band ORDER BY mjd, visit ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
-- : lead with an offset and a default
SELECT visit, lead(visit, 2, -1) OVER (PARTITION BY band ORDER BY mjd, visit) AS n FROM Visit
-- : a window over groups
SELECT kind, count(*) AS n, sum(count(*)) OVER () AS total, rank() OVER (ORDER BY count(*) DESC, kind) AS place FROM Object GROUP BY kind
-- : a share of the whole
SELECT band, count(*) * 1.0 / sum(count(*)) OVER () AS share FROM ForcedSource GROUP BY band
-- : a filtered window
SELECT visit, count(*) FILTER (WHERE seeing > 1) OVER (ORDER BY mjd, visit) AS n FROM Visit
-- : the difference to the mean of the object
SELECT f.forcedSourceId, f.psfFlux - avg(f.psfFlux) OVER (PARTITION BY o.objectId) AS d FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId WHERE o.nDet > 5
-- : a window with a limit
SELECT objectId, row_number() OVER (ORDER BY objectId) AS n FROM Object ORDER BY n LIMIT 7 OFFSET 3
-- : distinct window values
SELECT DISTINCT kind, count(*) OVER (PARTITION BY kind) AS n FROM Object
-- : named window that extends another
SELECT visit, sum(visit) OVER (w ORDER BY mjd, visit) AS s FROM Visit WINDOW w AS (PARTITION BY band)
-- : filtered counts side by side
SELECT count(*) AS n, count(*) FILTER (WHERE gFlux > 0) AS bright, sum(nDet) FILTER (WHERE kind = 'star') AS stars, avg(gFlux) FILTER (WHERE flag) AS flagged FROM Object
-- : filtered aggregates by group
SELECT kind, max(gFlux) FILTER (WHERE nDet > 3) AS m, stddev(gFlux) FILTER (WHERE gFlux > 0) AS s, count(gFlux) FILTER (WHERE NOT flag) AS n FROM Object GROUP BY kind
-- : filtered aggregates by the key of an object
SELECT o.objectId, count(*) FILTER (WHERE f.band = 'g') AS g, count(*) FILTER (WHERE f.band = 'r') AS r FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId GROUP BY o.objectId
-- : grouping sets
SELECT kind, flag, count(*) AS n, GROUPING(kind, flag) AS g FROM Object GROUP BY GROUPING SETS ((kind, flag), (kind), ())
-- : rollup
SELECT band, flag, avg(psfFlux) AS f FROM ForcedSource GROUP BY ROLLUP (band, flag)
-- : cube with having
SELECT kind, flag, count(*) AS n FROM Object GROUP BY CUBE (kind, flag) HAVING count(*) > 100
-- : a key beside a rollup
SELECT flag, kind, nDet % 2 AS odd, count(*) FROM Object GROUP BY flag, ROLLUP (kind, nDet % 2)
-- : grouping sets of nothing
SELECT kind, count(*) FROM Object WHERE objectId < 0 GROUP BY GROUPING SETS ((kind), ())
-- : rollup sorted by its level
SELECT kind, sum(nDet) AS n FROM Object GROUP BY ROLLUP (kind) ORDER BY GROUPING(kind), kind
-- : distinct on
SELECT DISTINCT ON (kind) kind, objectId, nDet FROM Object ORDER BY kind, nDet DESC, objectId
-- : distinct on two columns, with a limit
SELECT DISTINCT ON (band, flag) band, flag, forcedSourceId FROM ForcedSource ORDER BY band, flag, forcedSourceId LIMIT 5
-- : the first source of each object
SELECT DISTINCT ON (f.objectId) f.objectId, f.mjd, f.band FROM ForcedSource f JOIN Object o ON o.objectId = f.objectId WHERE o.nDet > 4 ORDER BY f.objectId, f.mjd, f.forcedSourceId
-- : lateral with a limit
SELECT v.visit, s.sourceId FROM Visit v CROSS JOIN LATERAL (SELECT sourceId FROM Source WHERE Source.visit = v.visit ORDER BY sourceId LIMIT 2) AS s
-- : lateral with an aggregate
SELECT v.visit, s.n FROM Visit v, LATERAL (SELECT count(*) AS n FROM Source WHERE Source.visit = v.visit) AS s WHERE v.band = 'r'
-- : lateral that only computes
SELECT objectId, c.colour FROM Object o, LATERAL (SELECT o.gFlux - o.rFlux AS colour) AS c WHERE c.colour > 0
-- : left join lateral
SELECT v.visit, s.top FROM Visit v LEFT JOIN LATERAL (SELECT max(flux) AS top FROM Source WHERE Source.visit = v.visit) AS s ON TRUE
-- : values in from
SELECT o.objectId, w.weight FROM Object o JOIN (VALUES ('star', 1.0), ('galaxy', 0.5)) AS w (name, weight) ON o.kind = w.name WHERE o.nDet > 6
-- : values alone
VALUES (1, 'one'), (2, 'two'), (3, NULL) ORDER BY 1 DESC LIMIT 2
-- : values in a common table, unnested by lateral
WITH v (lo, hi) AS (VALUES (0, 3), (4, 100)) SELECT v.lo, count(*) FROM v JOIN Object o ON o.nDet BETWEEN v.lo AND v.hi GROUP BY v.lo
-- : in values
SELECT objectId FROM Object WHERE kind IN (VALUES ('star'), ('quasar')) AND nDet > 5
-- : is distinct from
SELECT count(*) FROM Object WHERE flag IS DISTINCT FROM TRUE
-- : is not distinct from between tables
SELECT a.objectId FROM Object a JOIN Object b ON a.objectId = b.objectId AND a.gFlux IS NOT DISTINCT FROM b.gFlux WHERE a.nDet = 2
-- : between symmetric
SELECT count(*) FROM Object WHERE nDet BETWEEN SYMMETRIC 6 AND 3
-- : not between
SELECT count(*) FROM Object WHERE nDet NOT BETWEEN 3 AND 6
-- : casts by colons
SELECT objectId::text AS t, nDet::double precision / 2 AS d, gFlux::int AS i, '12'::int + 1 AS n FROM Object WHERE gFlux BETWEEN -1000 AND 1000
-- : boolean values in the select list
SELECT objectId, nDet > 4 AS many, gFlux > 0 AND flag AS both FROM Object
-- : fetch first
SELECT objectId FROM Object ORDER BY gFlux DESC NULLS LAST FETCH FIRST 5 ROWS ONLY
-- : offset rows fetch
SELECT objectId FROM Object ORDER BY objectId OFFSET 10 ROWS FETCH NEXT 3 ROWS ONLY
-- : nulls first ascending, a cut
SELECT objectId, gFlux FROM Object ORDER BY gFlux NULLS FIRST, objectId LIMIT 20
-- : nulls last descending
SELECT objectId, gFlux FROM Object ORDER BY gFlux DESC NULLS LAST, objectId LIMIT 20
-- : set operations of three
SELECT visit FROM Source WHERE flux > 100 INTERSECT SELECT visit FROM Visit WHERE band = 'r' UNION SELECT visit FROM Visit WHERE band = 'u' ORDER BY 1
-- : union binds looser than intersect
SELECT kind FROM Object UNION ALL SELECT band FROM Visit INTERSECT SELECT band FROM ForcedSource
-- : except all
SELECT nDet FROM Object EXCEPT ALL SELECT nDet FROM Object WHERE flag
-- : strings taken apart
SELECT objectId, substring(kind FROM 2 FOR 3) AS a, left(kind, 2) AS b, right(kind, -1) AS c, position('a' IN kind) AS p, length(kind) AS l, upper(kind) AS u, initcap(kind) AS i, reverse(kind) AS r FROM Object
-- : strings put together
SELECT DISTINCT kind || '-' || flag::text AS a, concat(kind, '/', NULL, nDet) AS b, concat_ws(', ', kind, NULL, 'x') AS c FROM Object
-- : strings filled and trimmed
SELECT DISTINCT band, lpad(band, 3, '*') AS l, rpad(band, 3) AS r, trim(BOTH 'g' FROM band || 'gx') AS t, ltrim('  ' || band) AS lt, repeat(band, 3) AS rep, replace(band, 'g', 'green') AS g, split_part('a,b,c', ',', 2) AS s, strpos('abc', band) AS p, starts_with(band, 'g') AS sw FROM Visit
-- : like with an escaped wildcard
SELECT count(*) FROM Object WHERE kind || '_x' LIKE '%\_x' AND NOT kind LIKE 'st!%' ESCAPE '!'
-- : like without regard to case
SELECT count(*) FROM Object WHERE kind ILIKE 'STA%'
-- : a regular expression
SELECT kind, count(*) FROM Object WHERE kind ~ '^(st|qu)[a-r]+$' GROUP BY kind
-- : a regular expression without regard to case, negated
SELECT count(*) FROM Object WHERE kind !~* 'STAR|galax.'
-- : parts of times
SELECT visit, extract(year FROM obsStart) AS y, extract(doy FROM obsStart) AS d, date_part('hour', obsStart) AS h, extract(epoch FROM obsStart) AS e, extract(second FROM obsStart) AS s, extract(dow FROM obsStart) AS w FROM Visit
-- : times cut to the day, counted
SELECT date_trunc('day', obsStart) AS day, count(*) FROM Visit GROUP BY date_trunc('day', obsStart) ORDER BY day
-- : times moved
SELECT visit, obsStart + interval '1 day 2 hours' AS a, obsStart - interval '1 month' AS b, interval '90 minutes' + obsStart AS c FROM Visit
-- : times compared with literals
SELECT visit FROM Visit WHERE obsStart >= timestamp '2026-01-03 00:00:00' AND obsStart < '2026-02-01'
-- : seconds between two times
SELECT a.visit, b.visit, extract(epoch FROM (b.obsStart - a.obsStart)) AS s FROM Visit a JOIN Visit b ON b.visit = a.visit + 1
-- : greatest and least leave NULL out
SELECT objectId, greatest(gFlux, rFlux, 0) AS g, least(gFlux, rFlux) AS l FROM Object
-- : mathematics
SELECT objectId, ln(nDet + 1) AS a, log(nDet + 1) AS b, sqrt(abs(dec)) AS c, power(nDet, 2) AS d, nDet ^ 2 AS e, cbrt(dec) AS f, mod(nDet, 3) AS g, trunc(ra) AS h, ceil(ra) AS i, floor(dec) AS j, sign(dec) AS k, radians(ra) AS l, atan2(dec, ra) AS m FROM Object
-- : precedence of operators
SELECT DISTINCT 2 + 3 * 4 - 6 / 4 AS a, -2 ^ 2 AS b, 7 & 3 | 8 AS c, 1 << 2 + 1 AS d, 5 # 3 & 1 AS e, NOT nDet > 3 AND flag AS f, nDet = 3 OR flag AND nDet > 2 AS g, 'a' || 'b' = 'ab' AS h, 7 % 4 * 2 AS i FROM Object
-- : case, searched and simple
SELECT CASE WHEN nDet > 6 THEN 'many' WHEN nDet > 2 THEN 'some' ELSE 'few' END AS c, CASE kind WHEN 'star' THEN 1 WHEN 'galaxy' THEN 2 END AS k, count(*) FROM Object GROUP BY 1, 2
-- : coalesce, nullif
SELECT objectId, coalesce(gFlux, rFlux, 0) AS f, nullif(nDet, 3) AS n FROM Object
-- : an exists and an in
SELECT objectId FROM Object o WHERE EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId AND f.psfFlux > 500) AND o.objectId IN (SELECT objectId FROM ObjectSource)
-- : equal to any, unequal to all
SELECT objectId FROM Object WHERE objectId = ANY (SELECT objectId FROM ForcedSource WHERE band = 'u') AND objectId <> ALL (SELECT objectId FROM ForcedSource WHERE band = 'z' AND objectId IS NOT NULL)
-- : percentiles
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gFlux) AS median, percentile_disc(0.25) WITHIN GROUP (ORDER BY nDet) AS q FROM Object
-- : percentiles by group, descending
SELECT kind, percentile_cont(0.9) WITHIN GROUP (ORDER BY gFlux DESC) AS p FROM Object GROUP BY kind
-- : the median of each object's light curve
SELECT o.objectId, percentile_cont(0.5) WITHIN GROUP (ORDER BY f.psfFlux) AS m FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId GROUP BY o.objectId
-- : the most frequent value
SELECT mode() WITHIN GROUP (ORDER BY nDet) AS m FROM Object
-- : texts joined in order
SELECT kind, string_agg(objectId::text, ',' ORDER BY objectId DESC) AS ids FROM Object WHERE nDet = 7 GROUP BY kind
-- : distinct texts joined
SELECT visit, string_agg(DISTINCT band, '+' ORDER BY band) AS bands FROM ForcedSource GROUP BY visit
-- : covariance and correlation
SELECT covar_samp(gFlux, rFlux) AS a, covar_pop(gFlux, rFlux) AS b, corr(gFlux, nDet) AS c FROM Object
-- : correlation by group
SELECT kind, corr(ra, dec) AS c, covar_pop(ra, nDet) AS d FROM Object GROUP BY kind
-- : booleans and bits aggregated
SELECT kind, bool_and(flag) AS a, bool_or(flag) AS b, every(nDet > 0) AS c, bit_or(nDet) AS d, bit_and(nDet) AS e, bit_xor(nDet) AS f FROM Object GROUP BY kind
-- : distinct counts beside others
SELECT count(DISTINCT kind) AS k, count(DISTINCT nDet) AS n, sum(nDet) AS s FROM Object
-- : a recursive-looking chain of common tables
WITH bright AS (SELECT objectId, gFlux FROM Object WHERE gFlux > 100), ranked AS (SELECT objectId, rank() OVER (ORDER BY gFlux DESC, objectId) AS r FROM bright) SELECT count(*) FROM ranked WHERE r <= 10
-- : an anti join by not exists
SELECT count(*) FROM Object o WHERE NOT EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId)
-- : a scalar sub-query in the select list
SELECT v.visit, (SELECT count(*) FROM Source s WHERE s.visit = v.visit) AS n FROM Visit v
-- : natural and using joins
SELECT visit, f.band, count(*) FROM ForcedSource f JOIN Visit USING (visit) GROUP BY visit, f.band
-- : full join
SELECT a.kind, b.band FROM (SELECT DISTINCT kind FROM Object) AS a FULL JOIN (SELECT DISTINCT band FROM Visit) AS b ON a.kind = b.band
-- : a table's columns renamed
SELECT o.a, o.b FROM Object AS o (a, b) WHERE o.a < 1010
-- : escaped strings
SELECT DISTINCT E'it''s' AS a, 'it''s' AS b, $$it's$$ AS c FROM Visit
-- : ours: a cone by ADQL's functions
SELECT objectId FROM Object WHERE CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 1.0)) = 1
-- : ours: division by zero is NULL
SELECT objectId, nDet / (nDet - 3) AS q, ln(gFlux) AS l FROM Object
-- : ours: a date is midnight
SELECT visit, obsStart::date AS day FROM Visit
-- : ours: rounding away from zero
SELECT round(2.5) AS a, round(-2.5) AS b, round(ra::numeric, 1) AS c FROM Object WHERE nDet = 4
-- : a table called Filter
SELECT f.band, COUNT(*) AS n FROM Filter AS f JOIN ForcedSource AS s ON s.band = f.band WHERE f.wavelength > 500 GROUP BY f.band
-- : the correlation of each visit's rows, as a window, and of what does not vary
SELECT visit, corr(mjd - 61050, visit) OVER (PARTITION BY band) AS c, corr(visit, 2) OVER (PARTITION BY band) AS z FROM Visit
-- : rows in a list of rows, and not in it
SELECT objectId FROM Object WHERE (objectId, nDet) IN ((1001, 1), (1003, 4), (1002, 2), (1004, 7)) OR (objectId < 1020 AND (kind, nDet) NOT IN (('star', 5), ('galaxy', 2)))
-- : rows compared: equal, unequal, by the first that differs, NULLs among them
SELECT objectId, (nDet, gFlux) < (3, 20) AS a, (nDet, gFlux) >= (3, 20) AS b, (kind, flag) = ('star', true) AS c, (kind, flag) <> ('star', true) AS d, (flag, nDet) IS NOT DISTINCT FROM (NULL, 3) AS e, (flag, gFlux) IS NULL AS f, (flag, gFlux) IS NOT NULL AS g FROM Object
-- : a row between rows, and ROW
SELECT count(*) FROM Object WHERE (objectId, nDet) BETWEEN (1001, 1) AND (1900, 3) AND ROW(nDet, kind) <= ROW(3, 'galaxy')
-- : rows in a sub-query
SELECT count(*) FROM ForcedSource WHERE (visit, band) IN (SELECT visit, band FROM Visit WHERE seeing < 1)
-- : rows not in a sub-query
SELECT count(*) FROM ForcedSource WHERE (visit, band) NOT IN (SELECT visit, band FROM Visit)
-- : whether rows are in a sub-query, NULLs among them
SELECT forcedSourceId, (visit, band) IN (SELECT visit, band FROM Visit) AS i FROM ForcedSource WHERE forcedSourceId < 5000400
-- : rows equal to any row of groups
SELECT nDet FROM Object WHERE (kind, nDet) = ANY (SELECT kind, max(nDet) FROM Object GROUP BY kind)
-- : greater than all of a sub-query
SELECT objectId FROM Object WHERE gFlux > ALL (SELECT flux FROM Source WHERE flux IS NOT NULL AND visit = 3)
-- : greater than all, where one is NULL
SELECT objectId FROM Object WHERE gFlux >= ALL (SELECT flux FROM Source WHERE visit = 3)
-- : less than some of a sub-query
SELECT count(*) FROM Object WHERE gFlux < SOME (SELECT flux FROM Source WHERE visit = 3)
-- : ANY and ALL as values, over nothing and over NULLs
SELECT objectId, gFlux > ALL (SELECT flux FROM Source WHERE visit = 3) AS a, gFlux > ANY (SELECT flux FROM Source WHERE visit = 3) AS b, gFlux <> ANY (SELECT flux FROM Source WHERE visit = -3) AS c, nDet = ALL (SELECT 3) AS d, nDet <> ANY (SELECT nDiaSources FROM DiaObject) AS e FROM Object WHERE objectId < 1200
-- : greater than all of its own children
SELECT objectId FROM Object o WHERE nDet > ALL (SELECT f.visit FROM ForcedSource f WHERE f.objectId = o.objectId)
-- : any and all over arrays
SELECT count(*) FROM Object WHERE nDet = ANY (ARRAY[1, 2, 3]) OR nDet > ALL (ARRAY[20, 30]) AND gFlux < ANY (ARRAY[10.5, 20]) OR nDet = ANY ('{}')
-- : any and all over arrays in quotes
SELECT count(*) FROM Object WHERE nDet <> ALL ('{1,2,3}'::int[]) AND kind = ANY ('{star,"galaxy"}'::text[]) AND objectId <> ALL ('{1001,1002}')
-- : any of an array of keys
SELECT objectId, nDet FROM Object WHERE objectId = ANY (ARRAY[1001, 2002, 3003, 4711])
-- : LIKE of several patterns
SELECT count(*) FROM Object WHERE kind LIKE ANY (ARRAY['s%', 'g%']) AND NOT (kind LIKE ALL (ARRAY['s%', '%r'])) OR kind ILIKE ANY (ARRAY['QU%'])
-- : arrays as values
SELECT visit, ARRAY[visit, 2] AS a, ARRAY['x', band] AS b, ARRAY[mjd, 2] AS c, '{1,2}'::int[] AS d FROM Visit
-- : a text in quotes beside a number
SELECT objectId, nDet + '5' AS a, '2' * ra AS b, coalesce(nDet, '4') AS d, CASE WHEN flag THEN 1 ELSE '2' END AS e, greatest(nDet, '3') AS g FROM Object WHERE nDet = '3' AND gFlux > '20.5' OR objectId IN ('1001', 1003, '1011') OR nDet BETWEEN '40' AND '50'
-- : distinct rows counted
SELECT count(DISTINCT (kind, flag)) AS a, count(DISTINCT (nDet, gFlux, kind)) AS b, count(DISTINCT (kind)) AS c FROM Object
-- : distinct rows counted by group
SELECT nDet, count(DISTINCT (kind, flag)) AS a FROM Object GROUP BY nDet
-- : regression by group
SELECT kind, regr_slope(gFlux, nDet) AS a, regr_intercept(gFlux, nDet) AS b, regr_r2(gFlux, rFlux) AS c, regr_count(gFlux, rFlux) AS d, regr_avgx(gFlux, rFlux) AS e, regr_avgy(gFlux, rFlux) AS f, regr_sxx(gFlux, rFlux) AS g, regr_syy(gFlux, rFlux) AS h, regr_sxy(gFlux, rFlux) AS i FROM Object GROUP BY kind
-- : regression of some rows, of what does not vary and of nothing
SELECT regr_slope(gFlux, nDet) FILTER (WHERE flag) AS a, regr_r2(2, nDet) AS b, regr_slope(nDet, 3) AS c, regr_count(gFlux, NULL) AS d, regr_avgx(ra, nDet) FILTER (WHERE nDet < 0) AS e FROM Object WHERE nDet < 9
-- : the slope of each object's light curve
SELECT o.objectId, regr_slope(f.psfFlux, f.mjd - 61050) AS s, regr_count(f.psfFlux, f.mjd) AS n FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId WHERE o.nDet > 20 GROUP BY o.objectId HAVING regr_count(f.psfFlux, f.mjd) > 2
-- : regression as a window
SELECT visit, regr_slope(mjd - 61050, visit) OVER (PARTITION BY band) AS s FROM Visit
-- : SIMILAR TO
SELECT objectId, kind SIMILAR TO 's%' AS a, kind SIMILAR TO '(star|gal_xy)' AS b, kind NOT SIMILAR TO '%[aeiou]{1}r' AS c, kind SIMILAR TO 'star#%' ESCAPE '#' AS d, kind SIMILAR TO '' AS e, 'a.b' SIMILAR TO 'a.b' AS f, 'axb' SIMILAR TO 'a.b' AS g, 'a%b' SIMILAR TO 'a\%b' AS h FROM Object
-- : blanks at the end of CHAR(n)
SELECT DISTINCT kind::char(3) AS a, kind::char AS c, kind::char(3) = 'sta' AS d, length(kind::char(20)) AS e, kind::bpchar AS f, 'a '::char(5) || 'b' AS g, 'a '::char(5) = 'a'::char(3) AS h FROM Object WHERE kind IS NOT NULL
-- : frames of spans of time
SELECT visit, sum(visit) OVER (ORDER BY obsStart RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW) AS a, count(*) OVER (PARTITION BY band ORDER BY obsStart DESC RANGE BETWEEN '2 days 3 hours' PRECEDING AND INTERVAL '36:00:00' FOLLOWING) AS b, count(*) OVER (ORDER BY obsStart RANGE BETWEEN '1 month'::interval PRECEDING AND '1 week' FOLLOWING EXCLUDE CURRENT ROW) AS c FROM Visit
-- : differences of times, compared and in the select list
SELECT a.visit, b.visit, a.obsStart - b.obsStart AS dt FROM Visit a JOIN Visit b ON a.visit = b.visit + 1 WHERE a.obsStart - b.obsStart > INTERVAL '9 hours' AND a.obsStart - b.obsStart BETWEEN '9 hours'::interval AND INTERVAL '1 month'
-- : times moved by differences of times
SELECT visit, obsStart - '2026-01-01' AS a, obsStart + '1 day' AS b, obsStart + (obsStart - '2026-01-01 12:00') AS c, obsStart - (obsStart - '2026-01-01') AS d, extract(epoch FROM obsStart - '2026-01-01') AS e, (obsStart - timestamp '2026-01-01') + interval '1 hour' AS f FROM Visit ORDER BY obsStart - '2026-01-05'
-- : the longest and the mean difference, from a sub-query
SELECT max(dt) AS m, avg(dt) AS a, count(*) FILTER (WHERE dt > interval '3 days') AS n FROM (SELECT obsStart - '2026-01-01' AS dt FROM Visit) x
-- : dates differ by days
SELECT visit, obsStart::date - '2026-01-01'::date AS d, obsStart::date - date '2026-01-03' AS f, obsStart::date + 1 AS e FROM Visit
-- : a series of numbers joined
SELECT s.n, count(o.objectId) FROM generate_series(0, 12) AS s(n) LEFT JOIN Object o ON o.nDet = s.n GROUP BY s.n ORDER BY s.n
-- : a series downwards, an empty one, and WITH RECURSIVE that does not recurse
WITH RECURSIVE t AS (SELECT g, g.g * 2 AS h FROM generate_series(10, 0, -5) g) SELECT * FROM t UNION ALL SELECT n, 1 FROM generate_series(5, 1) AS e(n)
-- : characters by their code points
SELECT DISTINCT U&'d\0061t\+000061' AS a FROM Visit

-- : grouped by an output that is a correlated sub-query over a derived table
SELECT u.n, COUNT(*) AS kinds FROM (SELECT (SELECT COUNT(*) FROM Visit v WHERE v.visit < t.m) AS n FROM (SELECT kind, MAX(nDet) AS m FROM Object GROUP BY kind) t) u GROUP BY u.n HAVING u.n >= 0 ORDER BY u.n

-- : EXISTS and IN of a derived table's columns, as outputs that order
SELECT t.kind, EXISTS (SELECT 1 FROM Visit v WHERE v.visit < t.m) AS has, t.m IN (SELECT v.visit FROM Visit v) AS is_one FROM (SELECT kind, MAX(nDet) AS m FROM Object GROUP BY kind) t ORDER BY has, is_one, t.kind

-- : IN with a NULL among its values, as an output and inside a sub-query that must have no row
SELECT u.kind, u.has FROM (SELECT t.kind, t.m IN (SELECT p.nDet + CASE WHEN p.objectId = 1001 THEN NULL ELSE 0 END FROM Object p WHERE p.nDet < 3) AS has FROM (SELECT kind, MAX(nDet) AS m FROM Object GROUP BY kind) t) u WHERE NOT EXISTS (SELECT 1 FROM Visit v WHERE u.has)
-- : texts as long as a function makes them
SELECT length(lpad('X', 16384)) AS l, length(rpad('X', 16384, 'ab')) AS r, right(rpad('X', 16384, 'ab'), 3) AS e, length(repeat('xy', 8192)) AS n, repeat('', 16384) AS o
-- : texts whose length comes from rows
SELECT visit, length(lpad(band, CAST(visit % 100 AS int), '*')) AS l, rpad(band, CAST(visit % 5 AS int) - 1, 'xy') AS r, repeat(band, CAST(visit % 4 AS int) - 1) AS n, lpad(NULL, 3) AS z, repeat(band, NULL) AS y FROM Visit

-- : rows written out, beside a query
SELECT visit FROM Visit WHERE visit < 4 UNION ALL VALUES (2), (300) ORDER BY visit
