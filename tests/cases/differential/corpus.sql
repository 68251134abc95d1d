-- Queries that must give, over shards, the rows of one unsharded PostgreSQL.
-- Each starts with a line `-- : what it shows`. Tables: see tests/support/diff_sky.py.

-- : all rows of a director
SELECT objectId, ra, dec FROM Object
-- : all columns of a small region
SELECT * FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 0.5))
-- : count from the manifest
SELECT COUNT(*) FROM Object
-- : count of a child from the manifest
SELECT COUNT(*) AS n FROM ForcedSource
-- : count of a replicated table
SELECT COUNT(*) FROM Visit
-- : count of nothing
SELECT COUNT(*) FROM Object WHERE objectId < 0
-- : sums of nothing are NULL
SELECT SUM(gFlux), AVG(gFlux), MIN(gFlux), MAX(gFlux), COUNT(gFlux) FROM Object WHERE objectId < 0
-- : empty result with columns
SELECT objectId, band FROM ForcedSource WHERE forcedSourceId = -5
-- : a cone on the meridian ra = 0
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.1, 1.0))
-- : a cone whose centre is given beyond 360
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(359.9, -0.1, 0.6))
-- : a cone at the north pole
SELECT objectId, dec FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(120.0, 89.9, 0.5))
-- : a cone at the south pole
SELECT objectId, dec FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, -90.0, 0.7))
-- : a cone where four base pixels meet
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.2))
-- : a cone of the whole sky
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(10.0, 10.0, 180.0))
-- : a cone of half the sky
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(10.0, 10.0, 90.0))
-- : an empty cone
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(200.0, 45.0, 0.00001))
-- : outside of a cone
SELECT COUNT(*) FROM Object WHERE 0 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 20.0))
-- : INTERSECTS of a point
SELECT COUNT(*) FROM Object WHERE INTERSECTS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.3)) = 1
-- : coordinate system argument of ADQL 2.0
SELECT COUNT(*) FROM Object WHERE CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 0, 0, 1)) = 1
-- : a polygon across ra = 0
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON(359.0, -1.0, 1.0, -1.0, 1.0, 1.0, 359.0, 1.0))
-- : a polygon around the pole
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON(0.0, 89.5, 120.0, 89.5, 240.0, 89.5))
-- : a thin triangle
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON(44.0, -0.1, 46.0, 0.0, 44.0, 0.1))
-- : a box across ra = 0
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), BOX(0.0, 0.0, 1.0, 0.5))
-- : a box at high declination
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), BOX(180.0, 89.0, 300.0, 1.5))
-- : two regions
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 1.0)) AND 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.8, 0.0, 1.0))
-- : two regions that do not meet
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 1.0)) AND 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 1.0))
-- : regions under OR
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 0.4)) OR 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.1))
-- : a region under NOT
SELECT COUNT(*) FROM Object WHERE NOT (1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 5.0)))
-- : a child's own position in a cone
SELECT forcedSourceId FROM ForcedSource WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.15))
-- : a child's own position in a tiny cone on a border
SELECT forcedSourceId, objectId FROM ForcedSource WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.02))
-- : a replicated table in a cone
SELECT visit FROM Visit WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 30.0))
-- : an object by id
SELECT * FROM Object WHERE objectId = 1001
-- : an object by id, reversed
SELECT ra, dec FROM Object WHERE 1002 = objectId
-- : objects by a list of ids
SELECT objectId, gFlux FROM Object WHERE objectId IN (1001, 1500, 2100, 3999, 99)
-- : an unknown id
SELECT objectId FROM Object WHERE objectId = 123456789
-- : a light curve by its director's id
SELECT mjd, band, psfFlux FROM ForcedSource WHERE objectId = 1002 ORDER BY mjd, forcedSourceId
-- : light curves by ids
SELECT objectId, COUNT(*) AS n FROM ForcedSource WHERE objectId IN (1001, 1002, 1003, 1200) GROUP BY objectId
-- : the sentinel key lies anywhere
SELECT COUNT(*) FROM ForcedSource WHERE objectId = 0
-- : orphans are found by their key
SELECT forcedSourceId FROM ForcedSource WHERE objectId = 900001
-- : null keys
SELECT COUNT(*) FROM ForcedSource WHERE objectId IS NULL
-- : two ids that contradict each other
SELECT objectId FROM Object WHERE objectId = 1001 AND objectId = 1002
-- : an id that is not in the region
SELECT objectId FROM Object WHERE objectId = 1001 AND 1 = CONTAINS(POINT(ra, dec), CIRCLE(200.0, -60.0, 0.001))
-- : ids under OR
SELECT objectId FROM Object WHERE objectId = 1001 OR nDet > 40
-- : a key range
SELECT objectId FROM Object WHERE objectId BETWEEN 1000 AND 1050
-- : a director with its children
SELECT o.objectId, f.forcedSourceId, f.psfFlux FROM Object AS o JOIN ForcedSource AS f ON o.objectId = f.objectId WHERE o.nDet > 30
-- : a director in a cone with its children
SELECT o.objectId, f.mjd FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(45.0, 0.0, 0.1))
-- : children in a cone with their director
SELECT o.objectId, f.mjd FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE 1 = CONTAINS(POINT(f.ra, f.dec), CIRCLE(45.0, 0.0, 0.05))
-- : the same by WHERE
SELECT COUNT(*) FROM Object o, ForcedSource f WHERE f.objectId = o.objectId AND f.psfFlux > 100
-- : joined by USING
SELECT objectId, o.ra, f.ra FROM Object o JOIN ForcedSource f USING (objectId) WHERE f.band = 'g' AND o.nDet > 35
-- : light curve of one object with its director
SELECT o.gFlux, f.psfFlux FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId WHERE o.objectId = 1010
-- : LEFT JOIN keeps directors without children
SELECT o.objectId, f.forcedSourceId FROM Object o LEFT JOIN ForcedSource f ON o.objectId = f.objectId WHERE o.nDet < 4
-- : LEFT JOIN with a condition in ON
SELECT o.objectId, f.forcedSourceId FROM Object o LEFT JOIN ForcedSource f ON o.objectId = f.objectId AND f.band = 'z' WHERE o.nDet > 30
-- : LEFT JOIN, directors without children only
SELECT o.objectId FROM Object o LEFT JOIN ForcedSource f ON o.objectId = f.objectId WHERE f.forcedSourceId IS NULL
-- : LEFT JOIN from the child
SELECT f.forcedSourceId, o.objectId FROM ForcedSource f LEFT JOIN Object o ON o.objectId = f.objectId WHERE f.psfFlux > 500
-- : LEFT JOIN from the child keeps orphans and null keys
SELECT COUNT(*), COUNT(o.objectId) FROM ForcedSource f LEFT JOIN Object o ON o.objectId = f.objectId
-- : RIGHT JOIN
SELECT o.objectId, f.forcedSourceId FROM ForcedSource f RIGHT JOIN Object o ON o.objectId = f.objectId WHERE o.nDet < 4
-- : FULL JOIN
SELECT COUNT(*), COUNT(o.objectId), COUNT(f.forcedSourceId) FROM Object o FULL JOIN ForcedSource f ON o.objectId = f.objectId
-- : a child with a replicated table
SELECT f.forcedSourceId, v.seeing FROM ForcedSource f JOIN Visit v ON f.visit = v.visit WHERE f.psfFlux > 300
-- : director, child, replicated
SELECT o.objectId, v.mjd, f.psfFlux FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId JOIN Visit v ON f.visit = v.visit WHERE o.nDet > 35 AND v.band = 'r'
-- : replicated first in FROM
SELECT v.visit, COUNT(*) AS n FROM Visit v JOIN ForcedSource f ON f.visit = v.visit GROUP BY v.visit
-- : a replicated table preserved by LEFT JOIN is not anchored in every chunk
SELECT v.visit, f.forcedSourceId FROM Visit v LEFT JOIN ForcedSource f ON f.visit = v.visit AND f.psfFlux > 400
-- : visits that no source names
SELECT v.visit FROM Visit v LEFT JOIN ForcedSource f ON f.visit = v.visit WHERE f.visit IS NULL
-- : child LEFT JOIN replicated
SELECT f.forcedSourceId, v.seeing FROM ForcedSource f LEFT JOIN Visit v ON f.visit = v.visit AND v.seeing < 0.8 WHERE f.psfFlux > 300
-- : two replicated tables
SELECT v.visit, b.wavelength FROM Visit v JOIN Filter b ON v.band = b.band
-- : replicated with LEFT JOIN replicated
SELECT v.visit, b.wavelength FROM Visit v LEFT JOIN Filter b ON v.band = b.band AND b.wavelength > 600
-- : a product with a replicated table
SELECT COUNT(*) FROM Object o CROSS JOIN Filter b WHERE o.nDet > 30
-- : grandchild, child, director
SELECT d.diaObjectId, s.diaSourceId, x.phase FROM DiaObject d JOIN DiaSource s ON s.diaObjectId = d.diaObjectId JOIN SSSource x ON x.diaSourceId = s.diaSourceId
-- : grandchild with child
SELECT s.diaSourceId, x.phase FROM DiaSource s JOIN SSSource x ON x.diaSourceId = s.diaSourceId WHERE s.flux > 50
-- : grandchild by its parent's key
SELECT * FROM SSSource WHERE diaSourceId = 70034
-- : child LEFT JOIN grandchild
SELECT s.diaSourceId, x.ssObjectId FROM DiaSource s LEFT JOIN SSSource x ON x.diaSourceId = s.diaSourceId WHERE s.flux > 100
-- : two children of one director
SELECT o.objectId, f1.forcedSourceId, f2.forcedSourceId FROM Object o JOIN ForcedSource f1 ON f1.objectId = o.objectId JOIN ForcedSource f2 ON f2.objectId = o.objectId AND f1.forcedSourceId < f2.forcedSourceId WHERE o.nDet > 35
-- : two children by each other's key, sentinels too
SELECT COUNT(*) FROM ForcedSource f1 JOIN ForcedSource f2 ON f1.objectId = f2.objectId WHERE f1.psfFlux > 450 AND f2.psfFlux > 450
-- : a director with itself by key
SELECT a.objectId, b.gFlux FROM Object a JOIN Object b ON a.objectId = b.objectId WHERE a.nDet > 38
-- : neighbours within 5 arcsec
SELECT a.objectId AS one, b.objectId AS other FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 5.0/3600 AND a.objectId < b.objectId
-- : neighbours by WHERE, both orders
SELECT COUNT(*) FROM Object a, Object b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 0.002 AND a.objectId <> b.objectId
-- : neighbours by CONTAINS
SELECT a.objectId, b.objectId FROM Object a JOIN Object b ON 1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, 0.001)) WHERE a.objectId > b.objectId
-- : neighbours in a cone
SELECT a.objectId, b.objectId, DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) AS d FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.005 WHERE 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(45.0, 0.0, 0.1)) AND a.objectId <> b.objectId
-- : neighbours, region on the partner
SELECT a.objectId, b.objectId FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.005 WHERE 1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(45.0, 0.0, 0.05)) AND a.objectId <> b.objectId
-- : neighbours of one object
SELECT b.objectId FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.01 WHERE a.objectId = 1100
-- : neighbours at the pole
SELECT COUNT(*) FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.01 WHERE a.dec > 89 AND a.objectId < b.objectId
-- : two directors by distance
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 2.0/3600
-- : two directors by distance, LEFT
SELECT o.objectId, s.sourceId FROM Object o LEFT JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 2.0/3600 WHERE o.nDet > 10
-- : objects without a source near them
SELECT COUNT(*) FROM Object o LEFT JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 2.0/3600 WHERE s.sourceId IS NULL
-- : a chain of neighbours within the margin
SELECT a.objectId, b.objectId, c.objectId FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.003 JOIN Object c ON DISTANCE(POINT(b.ra, b.dec), POINT(c.ra, c.dec)) < 0.003 WHERE a.objectId < b.objectId AND b.objectId < c.objectId
-- : a chain of neighbours beyond the margin
SELECT COUNT(*) FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.012 JOIN Object c ON DISTANCE(POINT(b.ra, b.dec), POINT(c.ra, c.dec)) < 0.012 WHERE a.objectId < b.objectId AND b.objectId < c.objectId AND a.nDet > 10
-- : neighbours beyond the margin
SELECT COUNT(*) FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.05 WHERE a.nDet > 30 AND b.nDet > 30
-- : a neighbour's children lie elsewhere
SELECT a.objectId, f.forcedSourceId FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.002 JOIN ForcedSource f ON f.objectId = b.objectId WHERE a.objectId <> b.objectId AND f.psfFlux > 200
-- : an anchor's children beside its neighbour
SELECT b.objectId, f.forcedSourceId FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.002 JOIN ForcedSource f ON f.objectId = a.objectId WHERE a.objectId <> b.objectId AND f.psfFlux > 200
-- : a child's position near a director
SELECT f.forcedSourceId, s.sourceId FROM ForcedSource f JOIN Source s ON DISTANCE(POINT(f.ra, f.dec), POINT(s.ra, s.dec)) < 1.0/3600 WHERE f.band = 'i'
-- : a neighbour with a replicated table
SELECT o.objectId, s.sourceId, v.band FROM Object o JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 2.0/3600 JOIN Visit v ON v.visit = s.visit
-- : groups by a nullable column
SELECT kind, COUNT(*) AS n, SUM(gFlux) AS s, AVG(rFlux) AS a FROM Object GROUP BY kind
-- : a group on a nullable key of a child
SELECT objectId, COUNT(*) AS n, MAX(psfFlux) FROM ForcedSource GROUP BY objectId
-- : groups by the director's key are final
SELECT o.objectId, COUNT(*) AS n, AVG(f.psfFlux) FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId GROUP BY o.objectId
-- : final groups with HAVING and TOP
SELECT TOP 10 o.objectId, COUNT(*) AS n FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId GROUP BY o.objectId HAVING COUNT(*) > 2 ORDER BY n DESC
-- : groups by key that an outer join can lose
SELECT o.objectId, COUNT(*) FROM ForcedSource f LEFT JOIN Object o ON o.objectId = f.objectId GROUP BY o.objectId
-- : counts per director, none included
SELECT o.objectId, COUNT(f.forcedSourceId) AS n FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId GROUP BY o.objectId HAVING COUNT(f.forcedSourceId) = 0
-- : all aggregates
SELECT COUNT(*), COUNT(gFlux), SUM(gFlux), AVG(gFlux), MIN(gFlux), MAX(gFlux), STDDEV(gFlux) FROM Object
-- : aggregates of integers
SELECT SUM(nDet), AVG(nDet), MIN(nDet), MAX(nDet), STDDEV(nDet) FROM Object
-- : aggregates of REAL are in DOUBLE
SELECT SUM(rFlux), AVG(rFlux), MIN(rFlux), MAX(rFlux), STDDEV(rFlux) FROM Object
-- : deviation of large numbers
SELECT band, STDDEV(mjd) AS s FROM ForcedSource GROUP BY band
-- : deviation of one row is NULL
SELECT STDDEV(gFlux) FROM Object WHERE objectId = 1001
-- : count distinct
SELECT COUNT(DISTINCT kind) FROM Object
-- : count distinct over groups
SELECT band, COUNT(DISTINCT visit) AS visits FROM ForcedSource GROUP BY band
-- : count distinct beside others
SELECT band, COUNT(DISTINCT visit) AS visits, COUNT(*) AS n, AVG(psfFlux) FROM ForcedSource GROUP BY band
-- : sum distinct
SELECT SUM(DISTINCT nDet) FROM Object
-- : two count distincts
SELECT COUNT(DISTINCT band), COUNT(DISTINCT visit) FROM ForcedSource
-- : HAVING without its aggregate in the output
SELECT kind FROM Object GROUP BY kind HAVING COUNT(*) > 100
-- : HAVING on an average
SELECT band, AVG(psfFlux) AS a FROM ForcedSource GROUP BY band HAVING AVG(psfFlux) > 50
-- : expressions of aggregates
SELECT MAX(gFlux) - MIN(gFlux) AS spread, SUM(gFlux) / COUNT(*) AS mean FROM Object
-- : an expression in an aggregate
SELECT AVG(gFlux - rFlux) AS colour, SUM(nDet * 2 + 1) FROM Object WHERE rFlux > 10
-- : group by an expression
SELECT FLOOR(dec / 10) AS band10, COUNT(*) AS n FROM Object GROUP BY FLOOR(dec / 10)
-- : group by an alias
SELECT MOD(nDet, 5) AS m, COUNT(*) AS n FROM Object GROUP BY m
-- : group by a boolean
SELECT flag, COUNT(*) FROM Object GROUP BY flag
-- : group by two
SELECT band, flag, COUNT(*) AS n FROM ForcedSource GROUP BY band, flag
-- : group over a join with a replicated table
SELECT v.band, COUNT(*) AS n, AVG(f.psfFlux) AS a FROM ForcedSource f JOIN Visit v ON v.visit = f.visit GROUP BY v.band
-- : a density map
SELECT ivo_healpix_index(4, ra, dec) AS pixel, COUNT(*) AS n FROM Object GROUP BY ivo_healpix_index(4, ra, dec)
-- : average by cell
SELECT ivo_healpix_index(3, ra, dec) AS pixel, AVG(gFlux) AS a FROM Object GROUP BY pixel
-- : group and order and top
SELECT TOP 3 band, COUNT(*) AS n FROM ForcedSource GROUP BY band ORDER BY n DESC
-- : aggregate of an empty group list
SELECT kind, COUNT(*) FROM Object WHERE objectId < 0 GROUP BY kind
-- : distinct
SELECT DISTINCT band FROM ForcedSource
-- : distinct of two
SELECT DISTINCT band, flag FROM ForcedSource
-- : distinct with order and top
SELECT DISTINCT TOP 5 nDet FROM Object ORDER BY nDet DESC
-- : distinct of an expression
SELECT DISTINCT FLOOR(gFlux / 100) FROM Object
-- : distinct over a join
SELECT DISTINCT v.seeing FROM ForcedSource f JOIN Visit v ON f.visit = v.visit WHERE f.psfFlux > 300
-- : top by a unique key
SELECT TOP 10 objectId, gFlux FROM Object ORDER BY objectId
-- : top with ties
SELECT TOP 20 objectId, nDet FROM Object ORDER BY nDet DESC
-- : top with NULLs first
SELECT TOP 20 objectId, gFlux FROM Object ORDER BY gFlux DESC
-- : top with NULLs last
SELECT TOP 20 objectId, gFlux FROM Object ORDER BY gFlux
-- : top of a text
SELECT TOP 15 objectId, kind FROM Object ORDER BY kind, objectId DESC
-- : top without order
SELECT TOP 7 objectId FROM Object
-- : top without order of a join
SELECT TOP 7 o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId
-- : offset
SELECT objectId FROM Object ORDER BY objectId OFFSET 2990
-- : top and offset
SELECT TOP 5 objectId, dec FROM Object ORDER BY dec DESC OFFSET 10
-- : offset beyond the end
SELECT objectId FROM Object ORDER BY objectId OFFSET 100000
-- : top 0
SELECT TOP 0 objectId FROM Object
-- : order by position and by alias
SELECT TOP 9 objectId, gFlux * 2 AS twice FROM Object WHERE gFlux IS NOT NULL ORDER BY 2 DESC, objectId
-- : order by an expression that is not selected
SELECT TOP 9 objectId FROM Object WHERE gFlux IS NOT NULL ORDER BY ABS(dec) DESC
-- : order without top
SELECT objectId, dec FROM Object WHERE dec > 89.5 ORDER BY dec, objectId
-- : arithmetic
SELECT objectId, gFlux + rFlux, gFlux - rFlux, gFlux * 2.5, gFlux / rFlux, -gFlux FROM Object WHERE nDet > 30
-- : division by zero is NULL
SELECT objectId, gFlux / (nDet - nDet) AS x FROM Object WHERE nDet > 35
-- : integer division truncates
SELECT objectId, nDet / 4, -nDet / 4, MOD(nDet, 4), MOD(-nDet, 4) FROM Object WHERE nDet > 20
-- : logarithm of a negative flux is NULL
SELECT objectId, LOG10(rFlux), LOG(gFlux) FROM Object WHERE nDet > 25
-- : magnitudes of fluxes that may be negative
SELECT COUNT(*), COUNT(-2.5 * LOG10(gFlux)) FROM Object
-- : square root of a negative is NULL
SELECT COUNT(SQRT(gFlux)), AVG(SQRT(gFlux)) FROM Object
-- : REAL against a decimal literal
SELECT COUNT(*) FROM Object WHERE rFlux = 0.1
-- : REAL less than a decimal literal
SELECT COUNT(*) FROM Object WHERE rFlux <= 0.1
-- : REAL column against a column
SELECT COUNT(*) FROM Object WHERE rFlux < gFlux
-- : NaN was stored as NULL: a cut
SELECT COUNT(*) FROM Object WHERE gFlux > -1000000
-- : NaN was stored as NULL: MAX
SELECT MAX(gFlux), MIN(rFlux) FROM Object
-- : NOT of a NULL condition
SELECT COUNT(*) FROM Object WHERE NOT (gFlux > 0)
-- : IS NOT NULL
SELECT COUNT(*) FROM Object WHERE gFlux IS NOT NULL AND kind IS NULL
-- : NOT IN
SELECT COUNT(*) FROM Object WHERE kind NOT IN ('star', 'galaxy')
-- : IN with strings
SELECT COUNT(*) FROM Object WHERE kind IN ('star', 'quasar')
-- : BETWEEN
SELECT COUNT(*) FROM Object WHERE gFlux BETWEEN 10 AND 100
-- : NOT BETWEEN
SELECT COUNT(*) FROM Object WHERE gFlux NOT BETWEEN 10 AND 100
-- : LIKE
SELECT COUNT(*) FROM Object WHERE kind LIKE '%a%'
-- : LIKE with an underscore, and a backslash that is no escape
SELECT COUNT(*) FROM Object WHERE kind LIKE '_tar' OR kind LIKE 's\%'
-- : ILIKE and LOWER
SELECT COUNT(*) FROM Object WHERE kind ILIKE 'STAR' OR LOWER(kind) = 'galaxy'
-- : UPPER and concatenation
SELECT objectId, UPPER(kind) || '-' || kind AS k FROM Object WHERE nDet > 38
-- : text order is by bytes
SELECT kind, COUNT(*) FROM Object GROUP BY kind ORDER BY kind
-- : CASE
SELECT objectId, CASE WHEN gFlux > 100 THEN 'bright' WHEN gFlux > 10 THEN 'middling' ELSE 'faint' END AS c FROM Object WHERE nDet > 30
-- : COALESCE
SELECT objectId, COALESCE(gFlux, rFlux, 0) FROM Object WHERE nDet > 30
-- : casts
SELECT objectId, CAST(gFlux AS INTEGER), CAST(nDet AS DOUBLE PRECISION), CAST(nDet AS VARCHAR) FROM Object WHERE nDet > 30 AND gFlux IS NOT NULL
-- : rounding to even
SELECT objectId, CAST(nDet + 0.5 AS INTEGER) FROM Object WHERE nDet > 30
-- : trigonometry
SELECT objectId, SIN(RADIANS(ra)), COS(RADIANS(dec)), TAN(0.5), ATAN2(dec, ra), DEGREES(ACOS(0.5)) FROM Object WHERE nDet > 36
-- : powers and exponentials
SELECT objectId, POWER(nDet, 2), EXP(dec / 100), ABS(dec), CEILING(dec), FLOOR(dec), ROUND(dec, 2), TRUNCATE(dec, 1) FROM Object WHERE nDet > 36
-- : distance to a point
SELECT objectId, DISTANCE(POINT(ra, dec), POINT(45.0, 0.0)) AS d FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.1)) ORDER BY d
-- : distance as a cut
SELECT objectId FROM Object WHERE DISTANCE(POINT(ra, dec), POINT(0.0, 0.0)) < 0.3
-- : booleans
SELECT COUNT(*) FROM Object WHERE flag = 1
-- : bits
SELECT objectId, nDet & 3, nDet | 8 FROM Object WHERE (nDet & 1) = 1 AND nDet > 30
-- : timestamps
SELECT visit, obsStart FROM Visit WHERE obsStart > '2026-01-15T00:00:00'
-- : IN a sub-query
SELECT objectId FROM Object WHERE objectId IN (SELECT objectId FROM ForcedSource WHERE psfFlux > 400)
-- : NOT IN a sub-query with NULLs gives nothing
SELECT objectId FROM Object WHERE objectId NOT IN (SELECT objectId FROM ForcedSource)
-- : NOT IN a sub-query
SELECT COUNT(*) FROM Object WHERE objectId NOT IN (SELECT objectId FROM ForcedSource WHERE objectId IS NOT NULL)
-- : EXISTS
SELECT objectId FROM Object o WHERE EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId AND f.psfFlux > 400)
-- : NOT EXISTS
SELECT COUNT(*) FROM Object o WHERE NOT EXISTS (SELECT * FROM ForcedSource f WHERE f.objectId = o.objectId)
-- : NOT EXISTS from a replicated table
SELECT v.visit FROM Visit v WHERE NOT EXISTS (SELECT 1 FROM ForcedSource f WHERE f.visit = v.visit)
-- : a scalar sub-query
SELECT objectId FROM Object WHERE gFlux > (SELECT AVG(gFlux) + 3 * STDDEV(gFlux) FROM Object)
-- : a scalar sub-query in the output
SELECT objectId, (SELECT MAX(mjd) FROM Visit) AS latest FROM Object WHERE nDet > 38
-- : a correlated scalar sub-query
SELECT o.objectId, (SELECT COUNT(*) FROM ForcedSource f WHERE f.objectId = o.objectId) AS n FROM Object o WHERE o.nDet > 36
-- : a sub-query in FROM
SELECT t.objectId FROM (SELECT objectId, gFlux FROM Object WHERE gFlux > 100) AS t WHERE t.gFlux < 200
-- : a sub-query in FROM with computed columns
SELECT t.objectId, t.c FROM (SELECT objectId, gFlux - rFlux AS c, nDet FROM Object) AS t WHERE t.c > 10 AND t.nDet > 20
-- : a grouped sub-query in FROM
SELECT AVG(t.n) FROM (SELECT objectId, COUNT(*) AS n FROM ForcedSource GROUP BY objectId) AS t
-- : a sub-query joined with a table
SELECT o.objectId, t.n FROM Object o JOIN (SELECT objectId, COUNT(*) AS n FROM ForcedSource WHERE psfFlux > 50 GROUP BY objectId) AS t ON t.objectId = o.objectId WHERE t.n > 3
-- : a simple sub-query joined on the key
SELECT o.objectId, t.mjd FROM Object o JOIN (SELECT objectId, mjd FROM ForcedSource WHERE band = 'u') AS t ON t.objectId = o.objectId
-- : a simple sub-query on the right of LEFT JOIN
SELECT o.objectId, t.mjd FROM Object o LEFT JOIN (SELECT objectId, mjd FROM ForcedSource WHERE band = 'u') AS t ON t.objectId = o.objectId WHERE o.nDet > 20
-- : a computed sub-query on the right of LEFT JOIN
SELECT o.objectId, t.k FROM Object o LEFT JOIN (SELECT objectId, COALESCE(psfFlux, 0) AS k FROM ForcedSource WHERE band = 'u') AS t ON t.objectId = o.objectId WHERE o.nDet > 20
-- : a limited sub-query
SELECT COUNT(*) FROM (SELECT TOP 100 objectId, gFlux FROM Object ORDER BY gFlux DESC) AS t WHERE t.gFlux IS NULL
-- : a common table expression
WITH bright AS (SELECT objectId, ra, dec FROM Object WHERE gFlux > 200) SELECT COUNT(*) FROM bright
-- : a common table expression used twice
WITH bright AS (SELECT objectId, gFlux FROM Object WHERE gFlux > 300) SELECT a.objectId, b.objectId FROM bright a JOIN bright b ON a.objectId < b.objectId
-- : a common table expression joined
WITH lc AS (SELECT objectId, AVG(psfFlux) AS m FROM ForcedSource GROUP BY objectId) SELECT o.objectId, lc.m FROM Object o JOIN lc ON o.objectId = lc.objectId WHERE lc.m > 150
-- : UNION
SELECT objectId FROM Object WHERE nDet > 35 UNION SELECT objectId FROM ForcedSource WHERE psfFlux > 400
-- : UNION ALL
SELECT objectId FROM Object WHERE nDet > 38 UNION ALL SELECT objectId FROM Object WHERE nDet > 37
-- : EXCEPT
SELECT objectId FROM Object EXCEPT SELECT objectId FROM ForcedSource
-- : INTERSECT
SELECT visit FROM Visit INTERSECT SELECT visit FROM ForcedSource
-- : INTERSECT binds tighter
SELECT band FROM Filter UNION SELECT band FROM Visit INTERSECT SELECT band FROM ForcedSource
-- : UNION of types
SELECT nDet FROM Object WHERE nDet > 38 UNION SELECT gFlux FROM Object WHERE gFlux > 400
-- : UNION with order
SELECT objectId, ra FROM Object WHERE nDet > 38 UNION SELECT sourceId, ra FROM Source WHERE flux > 300 ORDER BY 1
-- : joins off the key
SELECT COUNT(*) FROM Object o JOIN Source s ON o.nDet = s.visit
-- : a join of two directors by an expression
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON o.objectId + 49000 = s.sourceId
-- : two directors with nothing in common, filtered
SELECT COUNT(*) FROM Object o, Source s WHERE o.nDet > 38 AND s.flux > 300
-- : a director, its child, and another director off the key
SELECT o.objectId, s.sourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId JOIN Source s ON s.visit = f.visit WHERE o.nDet > 38 AND s.flux > 250
-- : NATURAL JOIN with a replicated table
SELECT visit, seeing, flux FROM Source NATURAL JOIN (SELECT visit, seeing FROM Visit) AS v WHERE flux > 250
-- : a constant condition
SELECT COUNT(*) FROM Object WHERE 1 = 0
-- : a constant output
SELECT 1 AS one, objectId FROM Object WHERE nDet > 38
-- : the same column twice
SELECT objectId, objectId, ra FROM Object WHERE nDet > 38
-- : without a table
SELECT 1 + 1 AS two
-- : delimited names and other case
SELECT "objectId", OBJECTID, o."ra" FROM OBJECT AS o WHERE NDET > 38
-- : fluxes to magnitudes
SELECT objectId, scisql_nanojanskyToAbMag(gFlux) AS m FROM Object WHERE nDet > 30
-- : colour cut over the sky
SELECT COUNT(*) FROM Object WHERE gFlux > 0 AND rFlux > 0 AND -2.5 * LOG10(gFlux / rFlux) BETWEEN 0.2 AND 0.8
-- : everything at once
SELECT TOP 10 v.band, COUNT(*) AS n, AVG(f.psfFlux - o.gFlux) AS d FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId JOIN Visit v ON v.visit = f.visit WHERE 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(45.0, 0.0, 2.0)) AND o.kind = 'star' GROUP BY v.band HAVING COUNT(*) > 1 ORDER BY d DESC
-- : a count inside IN counts rows, not distinct ones
SELECT v.visit FROM Visit v WHERE v.visit IN (SELECT o.nDet FROM Object o WHERE (SELECT COUNT(*) FROM Source s WHERE s.visit = o.nDet) > 45)
-- : groups of a join inside EXISTS
SELECT v.visit FROM Visit v WHERE EXISTS (SELECT 1 FROM (SELECT o.kind AS k, COUNT(*) AS n FROM Object o JOIN Source s ON o.nDet = s.visit GROUP BY o.kind) AS t WHERE t.n > 1000 * v.visit)
-- : an offset inside EXISTS counts rows
SELECT b.band FROM Filter b WHERE EXISTS (SELECT 1 FROM (SELECT f.visit FROM ForcedSource f WHERE f.psfFlux > 300 ORDER BY f.visit OFFSET 60) AS t WHERE t.visit > 0)
-- : a column of the query around, on the side that becomes NULL
SELECT v.visit FROM Visit v WHERE EXISTS (SELECT 1 FROM Object o LEFT JOIN (SELECT v.visit AS k, sourceId AS sid FROM Source) AS t ON t.sid = o.objectId WHERE t.k IS NULL)
-- : a sub-query in the condition of an outer join
SELECT o.objectId, f.mjd FROM Object o LEFT JOIN (SELECT objectId, mjd FROM ForcedSource WHERE visit IN (SELECT visit FROM Visit WHERE seeing < 0.7)) AS f ON f.objectId = o.objectId WHERE o.nDet > 25
-- : a scalar sub-query in the condition of an outer join
SELECT o.objectId, f.psfFlux FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId AND f.psfFlux > (SELECT AVG(flux) FROM Source) WHERE o.nDet > 25
-- : a sub-query in the condition of an inner join
SELECT COUNT(*) FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId AND o.nDet < (SELECT COUNT(*) FROM Visit)
-- : EXISTS without a column of its own in a join
SELECT COUNT(*) FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId AND EXISTS (SELECT 1 FROM Visit)
-- : a group without keys or aggregates
SELECT 1 AS one FROM Object HAVING 1 = 1
-- : ILIKE folds as LOWER does
SELECT COUNT(*) FROM Object WHERE kind ILIKE 'É%' OR kind ILIKE 'QUASAR'
-- : shifts beyond the width are NULL
SELECT objectId, nDet >> 2, nDet >> 40, nDet << 3, nDet << 70 FROM Object WHERE nDet > 30
-- : chained computed columns
WITH a AS (SELECT objectId, nDet + nDet AS x FROM Object WHERE nDet > 30), b AS (SELECT objectId, x + x AS x FROM a), c AS (SELECT objectId, x * x AS x FROM b) SELECT objectId, x FROM c

-- : a match join of neighbours
SELECT o.objectId, d.diaObjectId, m.score FROM Object o JOIN ObjectDia m ON m.objectId = o.objectId JOIN DiaObject d ON d.diaObjectId = m.diaObjectId
-- : a match join of far pairs, orphans left out
SELECT m.pairId, o.objectId, s.sourceId FROM Object o JOIN ObjectSource m ON m.objectId = o.objectId JOIN Source s ON s.sourceId = m.sourceId
-- : a match table alone, with its orphans
SELECT COUNT(*), COUNT(objectId), COUNT(sourceId), SUM(score) FROM ObjectSource
-- : a match table and its first director
SELECT m.pairId, o.nDet FROM ObjectSource m JOIN Object o ON o.objectId = m.objectId WHERE m.score < 0.3
-- : a match table and its second director
SELECT m.pairId, s.flux FROM ObjectSource m JOIN Source s ON s.sourceId = m.sourceId WHERE m.score < 0.3
-- : all pairs, with or without their directors
SELECT m.pairId, o.objectId, s.sourceId FROM ObjectSource m LEFT JOIN Object o ON o.objectId = m.objectId LEFT JOIN Source s ON s.sourceId = m.sourceId
-- : all objects, with or without pairs
SELECT o.objectId, m.pairId, s.flux FROM Object o LEFT JOIN ObjectSource m ON m.objectId = o.objectId LEFT JOIN Source s ON s.sourceId = m.sourceId WHERE o.nDet > 3
-- : neighbours' pairs, with or without their second director
SELECT m.pairId, d.nDiaSources FROM ObjectDia m LEFT JOIN DiaObject d ON d.diaObjectId = m.diaObjectId AND d.nDiaSources > 5
-- : all second directors
SELECT d.diaObjectId, m.pairId FROM DiaObject d LEFT JOIN ObjectDia m ON m.diaObjectId = d.diaObjectId
-- : a match join from a few keys of the first
SELECT o.objectId, m.pairId, s.flux FROM Object o JOIN ObjectSource m ON m.objectId = o.objectId JOIN Source s ON s.sourceId = m.sourceId WHERE o.objectId BETWEEN 1500 AND 1600
-- : a match join from a few keys of the second
SELECT o.objectId, m.pairId, s.flux FROM Object o JOIN ObjectSource m ON m.objectId = o.objectId JOIN Source s ON s.sourceId = m.sourceId WHERE s.sourceId IN (50001, 50002, 50003, 50010, 50017, 50055, 50077, 50099)
-- : a match join in a region
SELECT o.objectId, d.diaObjectId FROM Object o JOIN ObjectDia m ON m.objectId = o.objectId JOIN DiaObject d ON d.diaObjectId = m.diaObjectId WHERE 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(0, 0, 0.5))
-- : a match join with a region on the second director
SELECT o.objectId, d.diaObjectId FROM Object o JOIN ObjectDia m ON m.objectId = o.objectId JOIN DiaObject d ON d.diaObjectId = m.diaObjectId WHERE 1 = CONTAINS(POINT(d.ra, d.dec), CIRCLE(0, 0, 0.5))
-- : a far match join with a region on the second director
SELECT o.objectId, s.sourceId FROM Object o JOIN ObjectSource m ON m.objectId = o.objectId JOIN Source s ON s.sourceId = m.sourceId WHERE 1 = CONTAINS(POINT(s.ra, s.dec), CIRCLE(45, 0, 0.2))
-- : groups over a match join
SELECT o.kind, COUNT(*) AS n, AVG(d.nDiaSources) FROM Object o JOIN ObjectDia m ON m.objectId = o.objectId JOIN DiaObject d ON d.diaObjectId = m.diaObjectId GROUP BY o.kind
-- : pairs per object
SELECT TOP 20 o.objectId, COUNT(*) AS n FROM Object o JOIN ObjectSource m ON m.objectId = o.objectId GROUP BY o.objectId ORDER BY n DESC
-- : pairs per source, over chunks
SELECT sourceId, COUNT(*) AS n FROM ObjectSource GROUP BY sourceId
-- : children of both directors of a match
SELECT o.objectId, f.forcedSourceId, d.diaObjectId, s.diaSourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId JOIN ObjectDia m ON m.objectId = o.objectId JOIN DiaObject d ON d.diaObjectId = m.diaObjectId JOIN DiaSource s ON s.diaObjectId = d.diaObjectId WHERE o.nDet > 20
-- : two match tables of one director
SELECT a.pairId, b.pairId AS other FROM ObjectSource a JOIN ObjectDia b ON a.objectId = b.objectId
-- : a match table with itself by its second key
SELECT a.pairId, b.pairId AS other FROM ObjectSource a JOIN ObjectSource b ON a.sourceId = b.sourceId AND a.pairId < b.pairId
-- : a match join by NATURAL
SELECT pairId, objectId, nDet FROM ObjectSource NATURAL JOIN Object WHERE score > 0.8
-- : a match join with a neighbour of its second director
SELECT m.pairId, d.diaObjectId, s.sourceId FROM ObjectDia m JOIN DiaObject d ON d.diaObjectId = m.diaObjectId JOIN Source s ON DISTANCE(POINT(d.ra, d.dec), POINT(s.ra, s.dec)) < 0.004
-- : EXISTS of a child
SELECT o.objectId FROM Object o WHERE EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId AND f.psfFlux > 100)
-- : NOT EXISTS of a child
SELECT o.objectId FROM Object o WHERE NOT EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId)
-- : NOT EXISTS of a parent: orphans, sentinels and NULL keys
SELECT COUNT(*) FROM ForcedSource f WHERE NOT EXISTS (SELECT 1 FROM Object o WHERE o.objectId = f.objectId)
-- : IN of a child's key
SELECT o.objectId, o.nDet FROM Object o WHERE o.objectId IN (SELECT f.objectId FROM ForcedSource f WHERE f.flag = TRUE)
-- : IN of a grouped key
SELECT o.objectId FROM Object o WHERE o.objectId IN (SELECT f.objectId FROM ForcedSource f GROUP BY f.objectId HAVING COUNT(*) > 5)
-- : NOT IN with NULLs gives nothing
SELECT o.objectId FROM Object o WHERE o.objectId NOT IN (SELECT f.objectId FROM ForcedSource f)
-- : NOT IN without NULLs
SELECT o.objectId FROM Object o WHERE o.objectId NOT IN (SELECT f.objectId FROM ForcedSource f WHERE f.objectId IS NOT NULL)
-- : NOT IN of a nullable outer key
SELECT f.forcedSourceId FROM ForcedSource f WHERE f.objectId NOT IN (SELECT o.objectId FROM Object o)
-- : NOT of IN with NULLs
SELECT o.objectId FROM Object o WHERE NOT (o.objectId IN (SELECT f.objectId FROM ForcedSource f WHERE f.band = 'u'))
-- : IN under OR
SELECT o.objectId FROM Object o WHERE o.nDet > 30 OR o.objectId IN (SELECT f.objectId FROM ForcedSource f WHERE f.psfFlux > 300)
-- : NOT IN within one object's rows, with NULLs
SELECT o.objectId FROM Object o WHERE 'u' NOT IN (SELECT f.band FROM ForcedSource f WHERE f.objectId = o.objectId)
-- : IN cut by TOP
SELECT o.objectId, o.nDet FROM Object o WHERE o.objectId IN (SELECT TOP 40 f.objectId FROM ForcedSource f ORDER BY f.psfFlux DESC)
-- : how many children each has
SELECT o.objectId, (SELECT COUNT(*) FROM ForcedSource f WHERE f.objectId = o.objectId) AS n FROM Object o
-- : the latest child's flux, TOP within a correlated sub-query
SELECT o.objectId, (SELECT MAX(f.mjd) FROM ForcedSource f WHERE f.objectId = o.objectId AND f.psfFlux > 0) AS latest FROM Object o WHERE o.nDet > 5 ORDER BY latest, o.objectId
-- : a condition on a correlated aggregate
SELECT o.objectId FROM Object o WHERE (SELECT AVG(f.psfFlux) FROM ForcedSource f WHERE f.objectId = o.objectId) > 120
-- : a sum of correlated counts by group
SELECT o.kind, SUM((SELECT COUNT(*) FROM ForcedSource f WHERE f.objectId = o.objectId)) AS n FROM Object o GROUP BY o.kind
-- : NOT EXISTS of neighbours across chunks
SELECT o.objectId FROM Object o WHERE NOT EXISTS (SELECT 1 FROM Source s WHERE DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.01)
-- : EXISTS of another object nearby
SELECT o.objectId FROM Object o WHERE EXISTS (SELECT 1 FROM Object p WHERE DISTANCE(POINT(o.ra, o.dec), POINT(p.ra, p.dec)) < 0.005 AND p.objectId <> o.objectId)
-- : how many neighbours each has
SELECT o.objectId, (SELECT COUNT(*) FROM Source s WHERE DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.01) AS n FROM Object o
-- : NOT EXISTS of neighbours beyond the margin
SELECT o.objectId FROM Object o WHERE o.nDet > 25 AND NOT EXISTS (SELECT 1 FROM Source s WHERE DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.05)
-- : EXISTS of pairs
SELECT o.objectId FROM Object o WHERE EXISTS (SELECT 1 FROM ObjectSource m WHERE m.objectId = o.objectId AND m.score > 0.5)
-- : NOT EXISTS of pairs with a second director, near
SELECT o.objectId FROM Object o WHERE NOT EXISTS (SELECT 1 FROM ObjectDia m JOIN DiaObject d ON d.diaObjectId = m.diaObjectId WHERE m.objectId = o.objectId AND d.nDiaSources > 4)
-- : NOT EXISTS of pairs with a second director, far
SELECT o.objectId FROM Object o WHERE NOT EXISTS (SELECT 1 FROM ObjectSource m JOIN Source s ON s.sourceId = m.sourceId WHERE m.objectId = o.objectId)
-- : pairs whose second director is nobody
SELECT m.pairId FROM ObjectSource m WHERE NOT EXISTS (SELECT 1 FROM Source s WHERE s.sourceId = m.sourceId)
-- : near pairs whose second director is bright
SELECT m.pairId FROM ObjectDia m WHERE EXISTS (SELECT 1 FROM DiaObject d WHERE d.diaObjectId = m.diaObjectId AND d.nDiaSources > 10)
-- : second directors without a pair
SELECT s.sourceId FROM Source s WHERE NOT EXISTS (SELECT 1 FROM ObjectSource m WHERE m.sourceId = s.sourceId)
-- : second directors not among pairs, NULLs left out
SELECT s.sourceId FROM Source s WHERE s.sourceId NOT IN (SELECT m.sourceId FROM ObjectSource m WHERE m.sourceId IS NOT NULL)
-- : two levels of EXISTS
SELECT d.diaObjectId FROM DiaObject d WHERE EXISTS (SELECT 1 FROM DiaSource s WHERE s.diaObjectId = d.diaObjectId AND EXISTS (SELECT 1 FROM SSSource x WHERE x.diaSourceId = s.diaSourceId AND x.phase < 10 * d.nDiaSources))
-- : IN of a replicated table
SELECT s.sourceId FROM Source s WHERE s.visit IN (SELECT v.visit FROM Visit v WHERE v.seeing < 0.8)
-- : NOT IN of a replicated table with NULLs on the left
SELECT s.sourceId FROM Source s WHERE s.visit NOT IN (SELECT v.visit FROM Visit v WHERE v.band = 'r')
-- : replicated rows without partitioned ones
SELECT v.visit FROM Visit v WHERE NOT EXISTS (SELECT 1 FROM ForcedSource f WHERE f.visit = v.visit)
-- : IN of a column that is no key
SELECT f.forcedSourceId FROM ForcedSource f WHERE f.visit IN (SELECT s.visit FROM Source s WHERE s.flux > 400)
-- : EXISTS of anything at all
SELECT COUNT(*) FROM Object o WHERE EXISTS (SELECT 1 FROM DiaObject d WHERE d.nDiaSources > 100)
-- : EXISTS over a group is always true
SELECT COUNT(*) FROM Object o WHERE EXISTS (SELECT COUNT(*) FROM ForcedSource f WHERE f.objectId = o.objectId AND f.psfFlux > 1e9)
-- : semi-joins of both sides of a join
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE EXISTS (SELECT 1 FROM ObjectDia m WHERE m.objectId = o.objectId) AND f.visit IN (SELECT v.visit FROM Visit v WHERE v.band = 'g')
-- : a semi-join of one side of a join of the merge
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON s.visit = o.nDet WHERE o.nDet > 35 AND EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId)
-- : a join on any key
SELECT f.forcedSourceId, s.sourceId FROM ForcedSource f JOIN Source s ON f.visit = s.visit AND s.flux > 300 WHERE f.psfFlux > 300
-- : a join on texts
SELECT f.forcedSourceId, v.visit FROM ForcedSource f JOIN Object o ON o.kind = f.band JOIN Visit v ON v.band = f.band
-- : a join on expressions
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON o.objectId + 49000 = s.sourceId
-- : a radius beyond the margin from few rows
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.1 WHERE o.objectId BETWEEN 1001 AND 1040
-- : a radius beyond the margin at the poles and the meridian
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.03 WHERE o.nDet > 8
-- : an outer join beyond the margin
SELECT o.objectId, s.sourceId FROM Object o LEFT JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.05 WHERE o.nDet > 25
-- : top rows joined to their children
SELECT t.objectId, f.forcedSourceId FROM (SELECT TOP 15 objectId FROM Object ORDER BY rFlux DESC) t JOIN ForcedSource f ON f.objectId = t.objectId
-- : groups joined to their directors
SELECT o.objectId, o.nDet, t.n FROM (SELECT objectId, COUNT(*) AS n FROM ForcedSource WHERE psfFlux > 250 GROUP BY objectId) t JOIN Object o ON o.objectId = t.objectId
-- : a chain of two joins by keys sent ahead
SELECT s.sourceId, m.pairId, f.forcedSourceId FROM Source s JOIN ObjectSource m ON m.sourceId = s.sourceId JOIN ForcedSource f ON f.objectId = m.objectId WHERE s.flux > 150
-- : distinct aggregates beside others, by group
SELECT kind, COUNT(DISTINCT nDet) AS d, AVG(gFlux) AS m, SUM(DISTINCT nDet) AS s, COUNT(*) AS n FROM Object GROUP BY kind
-- : two distinct arguments
SELECT COUNT(DISTINCT kind) AS k, COUNT(DISTINCT nDet) AS d, MAX(gFlux) AS g, AVG(DISTINCT nDet) AS a FROM Object
-- : distinct keys of a director in a join
SELECT f.band, COUNT(DISTINCT o.objectId) AS d, COUNT(*) AS n, STDDEV(f.mjd) AS s FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId GROUP BY f.band
-- : distinct foreign keys, with sentinels and NULLs
SELECT COUNT(DISTINCT objectId) AS d, COUNT(objectId) AS n, COUNT(*) AS a FROM ForcedSource
-- : distinct keys of the side that an outer join can lose
SELECT COUNT(DISTINCT o.objectId) AS d, COUNT(DISTINCT f.visit) AS v FROM ForcedSource f LEFT JOIN Object o ON o.objectId = f.objectId
-- : HAVING of a distinct count
SELECT visit, COUNT(DISTINCT band) AS b, MIN(mjd) AS m FROM ForcedSource GROUP BY visit HAVING COUNT(DISTINCT band) > 4
-- : distinct aggregates of nothing
SELECT COUNT(DISTINCT kind) AS k, SUM(DISTINCT nDet) AS s, COUNT(*) AS n FROM Object WHERE nDet < 0

-- The functions of the IVOA's catalogue, sciSQL's, and the limits of arithmetic.

-- : s2PtInCircle across ra = 0
SELECT objectId FROM Object WHERE scisql_s2PtInCircle(ra, dec, 0.0, 0.1, 1.0) = 1
-- : not in a sciSQL circle
SELECT COUNT(*) FROM Object WHERE NOT s2PtInCircle(ra, dec, 45, 0, 20) = 1 AND s2PtInCircle(ra, dec, 0, 0, 180) <> 0
-- : s2PtInCircle is 0 where a position is NULL
SELECT COUNT(*), SUM(s2PtInCircle(ra, dec, 45, 0, 1)) FROM ForcedSource WHERE s2PtInCircle(ra, dec, 45, 0, 0.1) = 0
-- : s2PtInBox across ra = 0
SELECT objectId FROM Object WHERE s2PtInBox(ra, dec, 359.5, -0.5, 0.5, 0.5) = 1
-- : s2PtInBox beyond 360
SELECT objectId FROM Object WHERE s2PtInBox(ra, dec, 359.5, -0.5, 360.5, 0.5) = 1 AND s2PtInBox(ra, dec, -0.5, -0.5, 0.5, 0.5) = 1
-- : s2PtInBox around a pole
SELECT COUNT(*) FROM Object WHERE s2PtInBox(ra, dec, 0, 89.5, 360, 90) = 1 OR s2PtInBox(ra, dec, 90, -90, 180, -89.5) = 1
-- : s2PtInEllipse on a corner of base pixels
SELECT objectId FROM Object WHERE s2PtInEllipse(ra, dec, 45, 0, 1800, 600, 30) = 1
-- : s2PtInEllipse at a pole
SELECT objectId FROM Object WHERE s2PtInEllipse(ra, dec, 120, 89.8, 3600, 1200, 60) = 1
-- : s2PtInCPoly by vertices and by bytes
SELECT objectId FROM Object WHERE s2PtInCPoly(ra, dec, 359, -1, 1, -1, 1, 1, 359, 1) = 1 AND s2PtInCPoly(ra, dec, s2CPolyToBin(359, -1, 1, -1, 0, 1)) = 1
-- : sciSQL's regions as values
SELECT objectId, s2PtInCircle(ra, dec, 60, -35, 1), s2PtInBox(ra, dec, 59, -36, 61, -34), s2PtInEllipse(ra, dec, 60, -35, 3600, 1800, 90) FROM Object WHERE objectId < 1400
-- : sciSQL's regions that rows make
SELECT v.visit, COUNT(o.objectId) AS n, SUM(s2PtInBox(o.ra, o.dec, v.ra - 1, v.dec - 1, v.ra + 1, v.dec + 1)) AS boxed, SUM(s2PtInEllipse(o.ra, o.dec, v.ra, v.dec, 3600, 900, 20)) AS rounded FROM Visit v JOIN Object o ON s2PtInCircle(o.ra, o.dec, v.ra, v.dec, 2) = 1 GROUP BY v.visit
-- : near neighbours by angSep
SELECT a.objectId, b.objectId FROM Object a, Object b WHERE scisql_angSep(a.ra, a.dec, b.ra, b.dec) < 0.001 AND a.objectId < b.objectId
-- : near neighbours by s2PtInCircle
SELECT COUNT(*) FROM Object a JOIN Source b ON s2PtInCircle(a.ra, a.dec, b.ra, b.dec, 0.001) = 1
-- : AB magnitudes and their errors
SELECT objectId, nanojanskyToAbMag(gFlux), nanojanskyToAbMagSigma(gFlux, ABS(rFlux)), fluxToAbMag(gFlux * 1e-32), fluxToAbMagSigma(gFlux * 1e-32, 1e-34) FROM Object
-- : fluxes of magnitudes and counts
SELECT objectId, abMagToNanojansky(20 + nDet), abMagToNanojanskySigma(20 + nDet, 0.1), abMagToFlux(nDet), dnToAbMag(gFlux, 1e12), dnToAbMagSigma(gFlux, 3, 1e12, 1e10), dnToFlux(rFlux, 1e12), fluxToDn(gFlux * 1e-32, 1e12) FROM Object
-- : a colour cut by sciSQL
SELECT COUNT(*) FROM Object WHERE scisql_nanojanskyToAbMag(gFlux) - scisql_nanojanskyToAbMag(rFlux) BETWEEN 0.2 AND 0.6
-- : medians and percentiles of groups
SELECT band, scisql_median(psfFlux), PERCENTILE(psfFlux, 25), percentile(mjd, 99.5) FROM ForcedSource GROUP BY band
-- : the median of nothing
SELECT MEDIAN(gFlux), MEDIAN(nDet) FROM Object WHERE objectId < 0
-- : a histogram of all
SELECT ivo_histogram(gFlux, 0, 500, 20) FROM Object
-- : histograms of groups
SELECT band, ivo_histogram(psfFlux, -100, 400, 5), COUNT(*) FROM ForcedSource GROUP BY band
-- : a histogram of nothing, and beside other aggregates
SELECT ivo_histogram(gFlux, 0, 1, 3), COUNT(*), AVG(gFlux) FROM Object WHERE objectId < 0
-- : histograms over directors, whose groups are final in their chunks
SELECT objectId, ivo_histogram(psfFlux, 0, 300, 3) FROM ForcedSource WHERE objectId BETWEEN 1001 AND 1100 GROUP BY objectId
-- : texts of a group
SELECT band, ivo_string_agg(band, '/') FROM Visit WHERE visit < 120 GROUP BY band
-- : texts of a group of many chunks
SELECT nDet, ivo_string_agg(kind, ', ') FROM Object WHERE nDet < 5 GROUP BY nDet
-- : HEALPix densities
SELECT ivo_healpix_index(3, ra, dec) AS hpx, COUNT(*) AS n FROM Object GROUP BY ivo_healpix_index(3, ra, dec)
-- : centres of pixels
SELECT objectId, ivo_healpix_center(6, ivo_healpix_index(6, POINT(ra, dec))), gavo_ipix(ra, dec) FROM Object
-- : rows whose pixel's centre is near
SELECT COUNT(*) FROM Object WHERE DISTANCE(POINT(ra, dec), ivo_healpix_center(8, ivo_healpix_index(8, ra, dec))) < 0.1
-- : proper motions
SELECT objectId, ivo_epoch_prop_pos(ra, dec, nDet, gFlux, rFlux, NULL, 2016, 1990.5), ivo_apply_pm(ra, dec, 0.001, -0.002, nDet) FROM Object
-- : a region at another epoch
SELECT objectId FROM Object WHERE 1 = CONTAINS(ivo_epoch_prop_pos(ra, dec, 1, 100, -100, 10, 2000, 2050), CIRCLE(45, 0, 0.3))
-- : galactic coordinates
SELECT objectId, ivo_geom_transform('ICRS', 'GALACTIC', POINT(ra, dec)), COORD1(ivo_geom_transform('FK4', 'ECLIPTIC', POINT(ra, dec))) FROM Object WHERE nDet < 10
-- : circles and polygons in other frames
SELECT ivo_geom_transform('GALACTIC', 'ICRS', CIRCLE(ra, dec, 1)), ivo_geom_transform('ICRS', 'SUPER_GALACTIC', POLYGON(ra, 0, ra + 1, 0, ra, 1)) FROM Object WHERE objectId < 1050
-- : Julian dates
SELECT visit, ivo_to_mjd(obsStart), ivo_to_jd(obsStart), ivo_to_mjd(obsStart) - mjd FROM Visit
-- : words and lists of words
SELECT objectId, ivo_hasword('a ' || kind || '-like object', 'STAR Obj'), ivo_hashlist_has('star#galaxy', kind), ivo_nocasematch(kind, 'S%') FROM Object WHERE ivo_hasword(kind, 'gal') = 0 OR ivo_nocasematch(kind, '%A%') = 1
-- : sixties
SELECT visit, ivo_hms_to_degrees('12:' || band || ':00'), ivo_hms_to_degrees('3h34m45.4s'), ivo_dms_to_degrees('-00:15:00') + visit FROM Visit
-- : intervals
SELECT objectId FROM Object WHERE ivo_interval_overlaps(gFlux, rFlux, 100, 200) = 1 AND ivo_interval_has(nDet, 3, 9) = 1
-- : one deviate in a statement
SELECT COUNT(DISTINCT ivo_normal_random(0, 1)), COUNT(DISTINCT ivo_normal_random(nDet, 1)) FROM Object
-- : floating products and sums out of range are NULL
SELECT objectId, gFlux * 1e307, gFlux * 1e300 * 1e300, 1e308 + gFlux * 1e306, gFlux / 1e-307, -1.7e308 - ABS(gFlux) * 1e306 FROM Object
-- : floating products too small are 0
SELECT objectId, gFlux * 1e-320, (gFlux * 1e-200) * (rFlux * 1e-200), gFlux / 1e308 / 1e308 FROM Object
-- : sums of LONGs whose parts are out of range
SELECT SUM(CASE WHEN dec > 0 THEN 9000000000000000 WHEN dec > -10 THEN 0 ELSE -9000000000000000 END), COUNT(*) FROM Object
-- : SUM and AVG of LONGs
SELECT SUM(objectId), SUM(-objectId), AVG(objectId), SUM(objectId - 5000000000) FROM ForcedSource
-- : two regions under OR
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(60.0, -35.0, 0.5)) OR 1 = CONTAINS(POINT(ra, dec), CIRCLE(185.0, 41.8, 0.5))
-- : three regions under OR, one across ra = 0, one at a pole
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 0.2)) OR 1 = CONTAINS(POINT(ra, dec), BOX(77.0, 90.0, 40.0, 0.4)) OR 1 = CONTAINS(POINT(ra, dec), POLYGON(44.9, -0.1, 45.1, -0.1, 45.0, 0.1))
-- : a region or a key
SELECT objectId, ra FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(330.0, 20.0, 0.4)) OR objectId IN (1001, 1002, 1003)
-- : a region or a value
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(330.0, 20.0, 0.4)) OR gFlux > 300
-- : keys or keys
SELECT objectId, dec FROM Object WHERE objectId = 1005 OR objectId = 1006 OR objectId IN (2000, 9999999)
-- : a region and keys or a region and a value
SELECT objectId FROM Object WHERE (1 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 1.0)) AND nDet > 20) OR (objectId BETWEEN 1500 AND 1600 AND gFlux > 40)
-- : what lies outside a circle
SELECT COUNT(*) FROM Object WHERE 0 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 40.0))
-- : NOT of a small circle
SELECT COUNT(*) FROM Object WHERE NOT (1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.05)))
-- : NOT of a box across ra = 0
SELECT objectId FROM Object WHERE NOT (1 = CONTAINS(POINT(ra, dec), BOX(0.0, 0.0, 3.0, 170.0))) AND dec BETWEEN -2 AND 2
-- : NOT over OR and AND
SELECT objectId FROM Object WHERE NOT (dec < 88 OR (nDet > 5 AND gFlux > 0))
-- : NULL is neither in nor out of a region
SELECT COUNT(*) FROM ForcedSource WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.2)) OR NOT (1 = CONTAINS(POINT(ra, dec), CIRCLE(45.0, 0.0, 0.2)))
-- : a child without position is outside of nothing
SELECT COUNT(*) FROM DiaSource WHERE 0 = CONTAINS(POINT(ra, dec), CIRCLE(0.0, 0.0, 20.0))
-- : a circle of most of the sky
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(180.0, 0.0, 179.0))
-- : right ascensions between
SELECT objectId FROM Object WHERE ra BETWEEN 184.5 AND 185.5
-- : right ascensions across 0
SELECT objectId, ra FROM Object WHERE ra > 359.6 OR ra < 0.2
-- : right ascension 0 exactly
SELECT objectId FROM Object WHERE ra = 0
-- : right ascensions from 360 on
SELECT objectId FROM Object WHERE ra >= 360
-- : the north pole by declination
SELECT objectId FROM Object WHERE dec > 89.9
-- : the south pole itself
SELECT objectId FROM Object WHERE dec <= -90
-- : no declination beyond a pole
SELECT objectId FROM Object WHERE dec > 90 OR dec < -90
-- : a box of coordinates, constants folded and on either side
SELECT objectId FROM Object WHERE ra BETWEEN 150 - 1 AND 150 + 1 AND 2.5 + 0.5 > dec AND dec >= 1.5
-- : a corner of base pixels by coordinates
SELECT objectId FROM Object WHERE ra BETWEEN 44.95 AND 45.05 AND dec BETWEEN -0.05 AND 0.05
-- : coordinates of a child
SELECT forcedSourceId FROM ForcedSource WHERE ra BETWEEN 44.95 AND 45.05 AND dec BETWEEN -0.05 AND 0.05
-- : coordinates of a child or of its director
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE (o.ra > 359.9 AND o.dec > 0) OR f.dec < -89.95
-- : a coordinate that is not of the position
SELECT COUNT(*) FROM Visit WHERE ra < 90 AND dec > 0
-- : statistics leave out most chunks
SELECT objectId, gFlux FROM Object WHERE gFlux > 600
-- : statistics leave out all chunks
SELECT objectId FROM Object WHERE nDet > 1000000
-- : an empty group of nothing by statistics
SELECT COUNT(*), MAX(gFlux) FROM Object WHERE nDet < 0
-- : statistics of time
SELECT COUNT(*) FROM ForcedSource WHERE mjd BETWEEN 61045.0 AND 61045.5
-- : statistics of one part of several
SELECT objectId FROM Object WHERE objectId <> 1001 AND nDet = 50
-- : statistics under OR of two tables
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE o.gFlux > 500 OR f.psfFlux > 480
-- : statistics of the preserved side of a LEFT join
SELECT o.objectId, f.forcedSourceId FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId WHERE o.gFlux > 500
-- : statistics in ON of a LEFT join leave the preserved side whole
SELECT COUNT(*), COUNT(f.mjd) FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId AND f.psfFlux > 480
-- : NULL by no partner
SELECT COUNT(*) FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId WHERE f.forcedSourceId IS NULL
-- : NULL by no partner or no value
SELECT COUNT(*) FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId WHERE f.psfFlux IS NULL OR o.gFlux IS NULL
-- : a value that is NULL, and one that is not
SELECT COUNT(*) FROM Object WHERE gFlux IS NULL AND rFlux IS NOT NULL
-- : a range of keys
SELECT objectId FROM Object WHERE objectId > 3990
-- : the keys of no row
SELECT mjd FROM ForcedSource WHERE objectId IN (5, 6, 7)
-- : a key carried over an equality
SELECT a.forcedSourceId, b.forcedSourceId FROM ForcedSource a JOIN ForcedSource b ON a.objectId = b.objectId WHERE a.objectId = 1012
-- : a range carried over two equalities
SELECT COUNT(*) FROM Visit v JOIN ForcedSource f ON f.visit = v.visit JOIN Source s ON s.visit = f.visit WHERE v.visit BETWEEN 3 AND 4 AND s.flux > 60
-- : nothing is carried over an outer join
SELECT COUNT(*) FROM Visit v LEFT JOIN ForcedSource f ON f.visit = v.visit WHERE f.visit IS NULL OR f.visit < 3
-- : neighbours of a known key
SELECT b.objectId FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.005 WHERE a.objectId IN (1001, 1007, 1010)
-- : neighbours of either of two regions
SELECT a.objectId, b.objectId AS other FROM Object a JOIN Object b ON DISTANCE(POINT(a.ra, a.dec), POINT(b.ra, b.dec)) < 0.005 WHERE 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(0.0, 0.0, 0.1)) OR 1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(45.0, 0.0, 0.05))
-- : a condition that is never true, over a join off the key
SELECT COUNT(*) FROM Object o JOIN Source s ON o.nDet = s.visit WHERE 1 = 0
-- : constants decide
SELECT COUNT(*) FROM Object WHERE (COALESCE(NULL, 3) = 3 OR nDet > 5) AND CASE WHEN 1 = 2 THEN 0 ELSE 1 END = 1
-- : counts and bounds of a whole table
SELECT COUNT(*), COUNT(objectId), COUNT(gFlux), COUNT(rFlux), MIN(objectId), MAX(nDet), MIN(gFlux), MAX(gFlux) FROM Object
-- : bounds of a whole child
SELECT MIN(mjd), MAX(mjd), MAX(mjd) - MIN(mjd), COUNT(visit) FROM ForcedSource
-- : ADQL 2.1: a point as a value
SELECT objectId, POINT(ra, dec) AS p FROM Object WHERE objectId < 1010
-- : ADQL 2.1: every constructor as a value
SELECT objectId, CIRCLE(ra, dec, 0.1) AS c, BOX(POINT(ra, dec), 2, 1) AS b, POLYGON(ra, dec, 10, 20, 20, 30) AS g FROM Object WHERE objectId BETWEEN 1010 AND 1020
-- : ADQL 2.1: geometry columns of a director and of a replicated table
SELECT s.sourceId, s.footprint, v.centre, v.field FROM Source s JOIN Visit v ON v.visit = s.visit WHERE s.sourceId < 50040
-- : ADQL 2.1: the top rows of geometry columns
SELECT TOP 5 sourceId, footprint FROM Source ORDER BY sourceId DESC
-- : ADQL 2.1: an array of whole numbers
SELECT visit, ccds FROM Visit
-- : ADQL 2.1: coordinates of a geometry column
SELECT visit, COORD1(centre), COORD2(field_centre) FROM (SELECT visit, centre, CENTROID(field) AS field_centre FROM Visit) AS v
-- : ADQL 2.1: areas
SELECT sourceId, AREA(footprint), AREA(CIRCLE(ra, dec, 1.5)), AREA(BOX(ra, dec, 2, 1)), AREA(POINT(ra, dec)) FROM Source WHERE sourceId < 50100
-- : ADQL 2.1: areas of NULL are NULL
SELECT COUNT(*), COUNT(AREA(field)), SUM(AREA(field)) FROM Visit
-- : ADQL 2.1: centroids
SELECT sourceId, CENTROID(footprint), CENTROID(POLYGON(ra, 10, 100, 20, 60, 80)) FROM Source WHERE sourceId < 50050 AND dec < 85 AND ra BETWEEN 20 AND 60
-- : ADQL 2.1: COORDSYS
SELECT visit, COORDSYS(centre) FROM Visit
-- : ADQL 2.1: REGION
SELECT COUNT(*) FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), REGION('Circle ICRS 0 0 0.5'))
-- : ADQL 2.1: the coordinate system as an empty text
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT('', ra, dec), BOX('', 0, 0, 1, 0.5))
-- : ADQL 2.1: a position in a polygon of the row
SELECT sourceId FROM Source WHERE 1 = CONTAINS(POINT(COORD1(CENTROID(footprint)), COORD2(CENTROID(footprint))), footprint) AND sourceId < 50200
-- : ADQL 2.1: positions in circles of a column
SELECT v.visit, COUNT(*) FROM Visit v JOIN Object o ON 1 = CONTAINS(POINT(o.ra, o.dec), v.field) GROUP BY v.visit
-- : ADQL 2.1: circles around rows in a polygon
SELECT objectId FROM Object WHERE 1 = CONTAINS(CIRCLE(POINT(ra, dec), 0.2), POLYGON(359, -1, 1, -1, 1, 1, 359, 1))
-- : ADQL 2.1: circles around rows not in a box
SELECT COUNT(*) FROM Object WHERE 0 = CONTAINS(CIRCLE(ra, dec, 0.2), BOX(0, 0, 4, 4))
-- : ADQL 2.1: circles around rows that meet a circle
SELECT objectId FROM Object WHERE 1 = INTERSECTS(CIRCLE(ra, dec, 0.05), CIRCLE(45, 0, 0.1))
-- : ADQL 2.1: circles of any radius that meet a polygon
SELECT objectId FROM Object WHERE 1 = INTERSECTS(POLYGON(44, -0.1, 46, 0, 44, 0.1), CIRCLE(ra, dec, nDet / 1000.0)) AND ra BETWEEN 40 AND 50
-- : ADQL 2.1: boxes around rows that meet a box
SELECT objectId FROM Object WHERE INTERSECTS(BOX(ra, dec, 0.1, 0.1), BOX(45, 0, 0.2, 0.2)) = 1
-- : ADQL 2.1: footprints that meet a polygon
SELECT sourceId FROM Source WHERE 1 = INTERSECTS(footprint, POLYGON(359, -1, 1, -1, 1, 1, 359, 1))
-- : ADQL 2.1: footprints in a circle
SELECT sourceId FROM Source WHERE 1 = CONTAINS(footprint, CIRCLE(45, 0, 1))
-- : ADQL 2.1: footprints in a box, and where that is not known
SELECT COUNT(*), COUNT(CONTAINS(footprint, BOX(0, 0, 90, 60))), SUM(CONTAINS(footprint, BOX(0, 0, 90, 60))) FROM Source
-- : ADQL 2.1: footprints that meet a box
SELECT COUNT(*) FROM Source WHERE 1 = INTERSECTS(footprint, BOX(180, 0, 40, 60))
-- : ADQL 2.1: fields that meet one another
SELECT a.visit, b.visit AS other FROM Visit a JOIN Visit b ON a.visit < b.visit AND 1 = INTERSECTS(a.field, b.field)
-- : ADQL 2.1: a region around constants only
SELECT COUNT(*) FROM Visit WHERE 1 = INTERSECTS(BOX(10, 10, 2, 2), POLYGON(10, 10, 20, 10, 15, 20)) AND 0 = CONTAINS(BOX(10, 10, 2, 2), POLYGON(10, 10, 20, 10, 15, 20))
-- : ADQL 2.1: the distance between points of columns
SELECT visit, DISTANCE(centre, POINT(0, 0)) AS d FROM Visit WHERE DISTANCE(centre, POINT(ra, dec)) < 0.1
-- : ADQL 2.1: grouped by a geometry
SELECT footprint, COUNT(*) FROM Source WHERE sourceId < 50030 GROUP BY footprint
-- : ADQL 2.1: distinct geometries
SELECT DISTINCT centre FROM Visit
-- : ADQL 2.1: geometries combined
SELECT centre FROM Visit UNION ALL SELECT POINT(ra, dec) FROM Object WHERE objectId < 1005
-- : ADQL 2.1: the first geometry that is not NULL
SELECT visit, COALESCE(centre, POINT(0, 0)), CASE WHEN ra > 180 THEN centre END FROM Visit
-- : ADQL 2.1: no geometry
SELECT COUNT(*) FROM Source WHERE footprint IS NULL
-- : ADQL 2.1: CAST of geometries
SELECT visit, CAST('10.5 -3' AS POINT), CAST(CAST(centre AS VARCHAR) AS POINT), CAST('1 2 3' AS CIRCLE) FROM Visit
-- : ADQL 2.1: CAST to text of a length
SELECT objectId, CAST(kind AS CHAR(2)), CAST(objectId AS VARCHAR(3)), CAST(flag AS VARCHAR) FROM Object WHERE objectId < 1100
-- : ADQL 2.1: CAST of floating numbers to text
SELECT objectId, CAST(gFlux AS VARCHAR), CAST(rFlux AS VARCHAR), CAST(gFlux * 1e15 AS VARCHAR), CAST(gFlux * 1e-9 AS VARCHAR) FROM Object
-- : ADQL 2.1: CAST of times
SELECT visit, CAST(obsStart AS VARCHAR), CAST(CAST(obsStart AS VARCHAR) AS TIMESTAMP) FROM Visit WHERE obsStart >= CAST('2026-01-05T10:00:00Z' AS TIMESTAMP)
-- : ADQL 2.1: CAST of numbers
SELECT objectId, CAST(gFlux AS INTEGER), CAST(gFlux AS BIGINT), CAST(nDet AS SMALLINT), CAST(nDet AS DOUBLE PRECISION), CAST(objectId AS REAL) FROM Object WHERE gFlux < 2000000000
-- : ADQL 2.1: a sub-query without a name
SELECT n FROM (SELECT nDet AS n, COUNT(*) AS c FROM Object GROUP BY nDet) WHERE c > 3
-- : ADQL 2.1: ORDER BY of an expression after UNION
SELECT objectId AS n FROM Object WHERE objectId < 1010 UNION SELECT visit FROM Visit ORDER BY MOD(n, 7), n
-- : ADQL 2.1: the top of combined rows by an expression
SELECT n FROM (SELECT objectId AS n FROM Object WHERE objectId < 1010 EXCEPT SELECT objectId FROM ForcedSource ORDER BY ABS(n - 1005), n OFFSET 1) AS t
-- : ADQL 2.1: ORDER BY of an expression of DISTINCT columns
SELECT DISTINCT nDet, flag FROM Object ORDER BY nDet * nDet DESC, flag
-- : ADQL 2.1: the top of DISTINCT rows by an expression
SELECT DISTINCT TOP 7 nDet FROM Object ORDER BY MOD(nDet, 5), nDet OFFSET 2
-- : ADQL 2.1: GROUP BY and ORDER BY of expressions and positions
SELECT MOD(nDet, 4) AS m, FLOOR(dec / 30) AS f, COUNT(*) FROM Object GROUP BY MOD(nDet, 4), 2 ORDER BY FLOOR(dec / 30), 1 DESC
-- : ADQL 2.1: INTERSECT binds tighter
SELECT visit FROM Visit UNION SELECT visit FROM Source INTERSECT SELECT visit FROM ForcedSource ORDER BY 1
-- : ADQL 2.1: EXCEPT ALL and INTERSECT ALL
SELECT visit FROM Source INTERSECT ALL SELECT visit FROM ForcedSource EXCEPT ALL SELECT visit FROM Visit
-- : ADQL 2.1: mathematical functions
SELECT objectId, ROUND(gFlux, -1), TRUNCATE(gFlux, -2), ROUND(dec, 3), TRUNCATE(dec), COT(dec), MOD(objectId, 7), MOD(gFlux, 2.5), POWER(nDet, 2), ATAN2(dec, ra), CEILING(dec), EXP(dec / 90), LOG(gFlux), LOG10(gFlux), SQRT(gFlux), DEGREES(1), RADIANS(dec), PI(), SIGN(dec) FROM Object WHERE objectId < 1200
-- : ADQL 2.1: RAND with a seed
SELECT objectId FROM Object WHERE RAND(3) < 0.3 AND RAND(3) = RAND(3) OR objectId < 1005
-- : ADQL 2.1: IN_UNIT of columns and of what follows from them
SELECT objectId, IN_UNIT(ra, 'rad'), IN_UNIT(gFlux, 'Jy'), IN_UNIT(DISTANCE(ra, dec, 0, 0), 'arcmin') FROM Object WHERE objectId < 1050
-- : ADQL 2.1: nested and parenthesised joins
SELECT o.objectId, f.mjd, v.visit FROM Object o LEFT JOIN (ForcedSource f JOIN Visit v ON v.visit = f.visit) ON f.objectId = o.objectId WHERE o.objectId < 1030
-- : ADQL 2.1: NATURAL joins
SELECT COUNT(*), SUM(wavelength) FROM ForcedSource NATURAL JOIN Filter
-- : ADQL 2.1: USING of several columns
SELECT COUNT(*) FROM ForcedSource f JOIN (SELECT visit, band FROM Visit) AS v USING (visit, band)
-- : ADQL 2.1: a correlated sub-query with a geometry
SELECT s.sourceId FROM Source s WHERE s.sourceId < 50060 AND EXISTS (SELECT 1 FROM Visit v WHERE v.visit = s.visit AND 1 = INTERSECTS(v.field, CIRCLE(s.ra, s.dec, 30)))
-- : ADQL 2.1: a common table of geometries
WITH near AS (SELECT sourceId, footprint FROM Source WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45, 0, 0.05))) SELECT a.sourceId, b.sourceId AS other FROM near a, near b WHERE a.sourceId < b.sourceId AND 1 = INTERSECTS(a.footprint, b.footprint)
-- : ADQL 2.1: flags by bitwise operators
SELECT objectId, nDet & 6, nDet | 1, nDet ^ 3, ~nDet, nDet % 4 FROM Object WHERE nDet & 1 = 1 AND objectId < 1100
-- : ADQL 2.1: a point of a sub-query in a cone
SELECT t.objectId FROM (SELECT objectId, POINT(ra, dec) AS p FROM Object) AS t WHERE 1 = CONTAINS(t.p, CIRCLE(45, 0, 0.2))
-- : ADQL 2.1: points of two sub-queries near each other
SELECT a.objectId, b.sourceId FROM (SELECT objectId, POINT(ra, dec) AS p FROM Object) AS a JOIN (SELECT sourceId, POINT(ra, dec) AS p FROM Source) AS b ON DISTANCE(a.p, b.p) < 0.001
-- : ADQL 2.1: the top of a sub-query's geometries
SELECT TOP 6 footprint FROM (SELECT DISTINCT footprint FROM Source WHERE sourceId < 50100) AS t
-- : ADQL 2.1: NATURAL LEFT JOIN without a common name
SELECT COUNT(*) FROM Filter NATURAL LEFT JOIN (SELECT 1 AS one FROM Visit WHERE visit < 0) AS v
-- : keys sent from a table's second director to the pairs and on to the first
SELECT s.sourceId, m.pairId, o.nDet FROM Source s JOIN ObjectSource m ON m.sourceId = s.sourceId JOIN Object o ON o.objectId = m.objectId WHERE s.visit BETWEEN 3 AND 9
-- : positions sent ahead, beyond the margin
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.1 WHERE o.nDet = 17
-- : positions sent ahead to children, beyond the margin
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON DISTANCE(POINT(o.ra, o.dec), POINT(f.ra, f.dec)) < 0.03 WHERE o.nDet = 21
-- : positions sent ahead in an outer join
SELECT o.objectId, s.sourceId FROM Object o LEFT JOIN Source s ON DISTANCE(POINT(o.ra, o.dec), POINT(s.ra, s.dec)) < 0.05 AND s.flux > 20 WHERE o.nDet = 19
-- : keys with a sentinel among them
SELECT a.forcedSourceId, b.forcedSourceId AS other FROM ForcedSource a JOIN ForcedSource b ON a.objectId = b.objectId WHERE a.visit = 5 AND b.visit = 6
-- : keys of orphans
SELECT a.forcedSourceId, b.forcedSourceId AS other FROM ForcedSource a JOIN ForcedSource b ON a.objectId = b.objectId WHERE a.objectId > 900000 AND a.visit = 5
-- : keys sent to a child and its director together
SELECT s.sourceId, o.objectId, f.forcedSourceId FROM Source s JOIN Object o ON o.objectId + 0 = s.sourceId - 49000 JOIN ForcedSource f ON f.objectId = o.objectId WHERE s.visit = 11
-- : keys of a sub-query to a child and its director together
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE o.objectId IN (SELECT m.objectId FROM ObjectSource m JOIN Source s ON s.sourceId = m.sourceId WHERE s.visit = 12)
-- : NOT IN of keys sent nowhere
SELECT o.objectId FROM Object o WHERE o.nDet = 14 AND o.nDet NOT IN (SELECT s.visit FROM Source s WHERE s.flux > 300)
-- : values of texts sent ahead
SELECT f.forcedSourceId, o.objectId FROM ForcedSource f JOIN Object o ON o.kind = f.band WHERE o.objectId = 1003
-- : nothing to send ahead
SELECT o.objectId, s.sourceId FROM Object o JOIN Source s ON s.visit = o.nDet WHERE o.nDet = 12345
-- : a long list of keys, children with their directors
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId WHERE o.objectId IN (1001,1008,1015,1022,1029,1036,1043,1050,1057,1064,1071,1078,1085,1092,1099,1106,1113,1120,1127,1134,1141,1148,1155,1162,1169,1176,1183,1190,1197,1204,1211,1218,1225,1232,1239,1246,1253,1260,1267,1274,1281,1288,1295,1302,1309,1316,1323,1330,1337,1344,1351,1358,1365,1372,1379,1386,1393,1400,1407,1414,1421,1428,1435,1442,1449,1456,1463,1470,1477,1484,1491,1498,1505,1512,1519,1526,1533,1540,1547,1554,1561,1568,1575,1582,1589,1596,1603,1610,1617,1624,1631,1638,1645,1652,1659,1666,1673,1680,1687,1694,1701,1708,1715,1722,1729,1736,1743,1750,1757,1764,1771,1778,1785,1792,1799)
-- : a long list of keys on the side that an outer join can lose
SELECT o.objectId, f.forcedSourceId FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId WHERE f.objectId IN (1000,1009,1018,1027,1036,1045,1054,1063,1072,1081,1090,1099,1108,1117,1126,1135,1144,1153,1162,1171,1180,1189,1198,1207,1216,1225,1234,1243,1252,1261,1270,1279,1288,1297,1306,1315,1324,1333,1342,1351,1360,1369,1378,1387,1396,1405,1414,1423,1432,1441,1450,1459,1468,1477,1486,1495,1504,1513,1522,1531,1540,1549,1558,1567,1576,1585,1594,1603,1612,1621,1630,1639,1648,1657,1666,1675,1684,1693,1702,1711,1720,1729,1738,1747,1756,1765,1774,1783,1792,1801,1810,1819,1828,1837,1846,1855,1864,1873,1882,1891,1900,1909,1918,1927,1936,1945,1954,1963,1972,1981,1990,1999)
-- : a long list of keys beside a region
SELECT o.objectId FROM Object o WHERE o.objectId IN (1001,1006,1011,1016,1021,1026,1031,1036,1041,1046,1051,1056,1061,1066,1071,1076,1081,1086,1091,1096,1101,1106,1111,1116,1121,1126,1131,1136,1141,1146,1151,1156,1161,1166,1171,1176,1181,1186,1191,1196,1201,1206,1211,1216,1221,1226,1231,1236,1241,1246,1251,1256,1261,1266,1271,1276,1281,1286,1291,1296,1301,1306,1311,1316,1321,1326,1331,1336,1341,1346,1351,1356,1361,1366,1371,1376,1381,1386,1391,1396,1401,1406,1411,1416,1421,1426,1431,1436,1441,1446,1451,1456,1461,1466,1471,1476,1481,1486,1491,1496,1501,1506,1511,1516,1521,1526,1531,1536,1541,1546,1551,1556,1561,1566,1571,1576,1581,1586,1591,1596,1601,1606,1611,1616,1621,1626,1631,1636,1641,1646,1651,1656,1661,1666,1671,1676,1681,1686,1691,1696,1701,1706,1711,1716,1721,1726,1731,1736,1741,1746,1751,1756,1761,1766,1771,1776,1781,1786,1791,1796,1801,1806,1811,1816,1821,1826,1831,1836,1841,1846,1851,1856,1861,1866,1871,1876,1881,1886,1891,1896,1901,1906,1911,1916,1921,1926,1931,1936,1941,1946,1951,1956,1961,1966,1971,1976,1981,1986,1991,1996,2001,2006,2011,2016,2021,2026,2031,2036,2041,2046,2051,2056,2061,2066,2071,2076,2081,2086,2091,2096,2101,2106,2111,2116,2121,2126,2131,2136,2141,2146,2151,2156,2161,2166,2171,2176,2181,2186,2191,2196) AND 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(0, 0, 1))
-- : a match join of a long list of keys
SELECT o.objectId, m.pairId, s.sourceId FROM Object o JOIN ObjectSource m ON m.objectId = o.objectId JOIN Source s ON s.sourceId = m.sourceId WHERE o.objectId IN (1001,1006,1011,1016,1021,1026,1031,1036,1041,1046,1051,1056,1061,1066,1071,1076,1081,1086,1091,1096,1101,1106,1111,1116,1121,1126,1131,1136,1141,1146,1151,1156,1161,1166,1171,1176,1181,1186,1191,1196,1201,1206,1211,1216,1221,1226,1231,1236,1241,1246,1251,1256,1261,1266,1271,1276,1281,1286,1291,1296,1301,1306,1311,1316,1321,1326,1331,1336,1341,1346,1351,1356,1361,1366,1371,1376,1381,1386,1391,1396,1401,1406,1411,1416,1421,1426,1431,1436,1441,1446,1451,1456,1461,1466,1471,1476,1481,1486,1491,1496,1501,1506,1511,1516,1521,1526,1531,1536,1541,1546,1551,1556,1561,1566,1571,1576,1581,1586,1591,1596,1601,1606,1611,1616,1621,1626,1631,1636,1641,1646,1651,1656,1661,1666,1671,1676,1681,1686,1691,1696,1701,1706,1711,1716,1721,1726,1731,1736,1741,1746,1751,1756,1761,1766,1771,1776,1781,1786,1791,1796,1801,1806,1811,1816,1821,1826,1831,1836,1841,1846,1851,1856,1861,1866,1871,1876,1881,1886,1891,1896,1901,1906,1911,1916,1921,1926,1931,1936,1941,1946,1951,1956,1961,1966,1971,1976,1981,1986,1991,1996,2001,2006,2011,2016,2021,2026,2031,2036,2041,2046,2051,2056,2061,2066,2071,2076,2081,2086,2091,2096,2101,2106,2111,2116,2121,2126,2131,2136,2141,2146,2151,2156,2161,2166,2171,2176,2181,2186,2191,2196)
-- : a long list of orphans' keys
SELECT f.forcedSourceId FROM ForcedSource f WHERE f.objectId IN (899980,899981,899982,899983,899984,899985,899986,899987,899988,899989,899990,899991,899992,899993,899994,899995,899996,899997,899998,899999,900000,900001,900002,900003,900004,900005,900006,900007,900008,900009,900010,900011,900012,900013,900014,900015,900016,900017,900018,900019,900020,900021,900022,900023,900024,900025,900026,900027,900028,900029,900030,900031,900032,900033,900034,900035,900036,900037,900038,900039,900040,900041,900042,900043,900044,900045,900046,900047,900048,900049,900050,900051,900052,900053,900054,900055,900056,900057,900058,900059,900060,900061,900062,900063,900064,900065,900066,900067,900068,900069,900070,900071,900072,900073,900074,900075,900076,900077,900078,900079,900080,900081,900082,900083,900084,900085,900086,900087,900088,900089,900090,900091,900092,900093,900094,900095,900096,900097,900098,900099,900100)
-- : deviations and covariances in HAVING
SELECT visit, COUNT(*) AS n, STDDEV(psfFlux) AS s FROM ForcedSource GROUP BY visit HAVING STDDEV(psfFlux) > 150 AND COVAR_POP(mjd, psfFlux) < 1 AND VARIANCE(ra) > 2
-- : the correlation of one row, and of what does not vary
SELECT o.kind, o.nDet, COUNT(*) AS n, CORR(o.gFlux, o.rFlux) AS c, CORR(o.nDet, o.rFlux) AS z FROM Object o WHERE 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(45, 0, 0.1)) GROUP BY o.kind, o.nDet
-- : the correlation of each object's light curve
SELECT o.objectId, COUNT(f.mjd) AS n, CORR(f.mjd - 61050, f.psfFlux) AS c FROM Object o JOIN ForcedSource f ON f.objectId = o.objectId GROUP BY o.objectId
-- : the correlation of pairs that the merge joins
SELECT o.nDet, COUNT(*) AS n, CORR(o.nDet, s.flux) AS z, CORR(s.sourceId, s.flux) AS c FROM Object o JOIN Source s ON s.visit = o.nDet WHERE o.nDet > 30 GROUP BY o.nDet
-- : differences of times, sorted and averaged
SELECT a.visit, a.obsStart - b.obsStart AS dt FROM Visit AS a JOIN Visit AS b ON a.visit = b.visit + 2 WHERE a.obsStart - b.obsStart > 32400 ORDER BY dt, a.visit
-- : a number in quotes takes the column's type
SELECT objectId FROM Object WHERE nDet = '3' AND ra < '180.5'

-- : keys under OR are one list
SELECT objectId, nDet FROM Object WHERE objectId = 1001 OR 1002 = objectId OR objectId IN (1003, 1001) OR objectId = 999999 OR objectId = 1300

-- : inequalities under AND are one list
SELECT objectId FROM Object WHERE nDet <> 1 AND nDet <> 2 AND nDet <> 5 AND nDet NOT IN (3, 4) AND gFlux > 0

-- : lists of several terms under OR, one with NULL
SELECT objectId FROM Object WHERE nDet = 31 OR objectId = 1001 OR nDet = 32 OR gFlux = NULL OR nDet = 33 OR nDet = 34 OR gFlux < -500

-- : a list under NOT in an aggregate
SELECT COUNT(CASE WHEN NOT (nDet = 1 OR nDet = 2 OR nDet = 3 OR nDet = 4 OR nDet = NULL) THEN 1 END) AS n FROM Object

-- : a long list of keys denied under OR
SELECT COUNT(*) AS n, SUM(objectId) AS s FROM Object WHERE objectId NOT IN (1000, 1007, 1014, 1021, 1028, 1035, 1042, 1049, 1056, 1063, 1070, 1077, 1084, 1091, 1098, 1105, 1112, 1119, 1126, 1133, 1140, 1147, 1154, 1161, 1168, 1175, 1182, 1189, 1196, 1203, 1210, 1217, 1224, 1231, 1238, 1245, 1252, 1259, 1266, 1273, 1280, 1287, 1294, 1301, 1308, 1315, 1322, 1329, 1336, 1343, 1350, 1357, 1364, 1371, 1378, 1385, 1392, 1399, 1406, 1413, 1420, 1427, 1434, 1441, 1448, 1455, 1462, 1469, 1476, 1483, 1490, 1497, 1504, 1511, 1518, 1525, 1532, 1539, 1546, 1553) OR nDet > 12

-- : a long list of values of a child, beside an outer join
SELECT COUNT(*) AS n, COUNT(f.mjd) AS m FROM Object o LEFT JOIN ForcedSource f ON f.objectId = o.objectId AND f.objectId IN (1000, 1007, 1014, 1021, 1028, 1035, 1042, 1049, 1056, 1063, 1070, 1077, 1084, 1091, 1098, 1105, 1112, 1119, 1126, 1133, 1140, 1147, 1154, 1161, 1168, 1175, 1182, 1189, 1196, 1203, 1210, 1217, 1224, 1231, 1238, 1245, 1252, 1259, 1266, 1273, 1280, 1287, 1294, 1301, 1308, 1315, 1322, 1329, 1336, 1343, 1350, 1357, 1364, 1371, 1378, 1385, 1392, 1399, 1406, 1413, 1420, 1427, 1434, 1441, 1448, 1455, 1462, 1469, 1476, 1483, 1490, 1497, 1504, 1511, 1518, 1525, 1532, 1539, 1546, 1553) WHERE o.nDet < 4

-- : a long list of floating numbers and one of texts
SELECT COUNT(*) AS n FROM Object WHERE nDet * 0.5 IN (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5, 14.0, 14.5, 15.0, 15.5, 16.0, 16.5, 17.0, 17.5, 18.0, 18.5, 19.0, 19.5, 20.0, 20.5, 21.0, 21.5, 22.0, 22.5, 23.0, 23.5, 24.0, 24.5, 25.0, 25.5, 26.0, 26.5, 27.0, 27.5, 28.0, 28.5, 29.0, 29.5, 30.0, 30.5, 31.0, 31.5, 32.0, 32.5, 33.0, 33.5, 34.0, 34.5) AND CAST(nDet AS VARCHAR) NOT IN ('40', '41', '42', '43', '44', '45', '46', '47', '48', '49', '50', '51', '52', '53', '54', '55', '56', '57', '58', '59', '60', '61', '62', '63', '64', '65', '66', '67', '68', '69', '70', '71', '72', '73', '74', '75', '76', '77', '78', '79', '80', '81', '82', '83', '84', '85', '86', '87', '88', '89', '90', '91', '92', '93', '94', '95', '96', '97', '98', '99', '100', '101', '102', '103', '104', '105', '106', '107', '108', '109')
-- : a box across ra = 0, with its edges
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), BOX(0.0, 0.0, 1.0, 0.6))
-- : a box whose top lies beyond the pole ends there
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), BOX(40.0, 89.8, 120.0, 1.0))
-- : a box all around a pole, across ra = 0
SELECT COUNT(*) AS n, MIN(dec) AS low FROM Object WHERE 1 = CONTAINS(POINT(ra, dec), BOX(359.0, -90.0, 360.0, 0.5))
-- : a box of each row across the pole
SELECT COUNT(*) AS n FROM Object WHERE 1 = CONTAINS(POINT(60.0, 89.9), BOX(ra, dec, 40.0, 1.0))
-- : the deprecated coordinate systems that are ICRS
SELECT objectId FROM Object WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('', 0.0, 0.0, 0.4)) OR 1 = CONTAINS(POINT('FK5 GEOCENTER', ra, dec), BOX('J2000', 45.0, 0.0, 0.1, 0.1))
-- : points turned from galactic coordinates
SELECT objectId FROM Object WHERE DISTANCE(POINT(ra, dec), ivo_geom_transform('GALACTIC', 'ICRS', POINT(97.7, -60.2))) < 1.5
-- : stored points and circles in regions
SELECT visit, centre, field FROM Visit WHERE 1 = CONTAINS(centre, BOX(180.0, 0.0, 200.0, 60.0)) OR 1 = INTERSECTS(field, CIRCLE(100.0, 0.0, 30.0))
-- : an aggregate of an outer query's groups, in a sub-query
SELECT o.kind, COUNT(*) AS n, (SELECT COUNT(*) FROM Visit AS v WHERE v.visit < MAX(o.nDet)) AS m FROM Object AS o GROUP BY o.kind HAVING COUNT(*) > 100

-- : a sub-query in a sub-query names the outermost block
SELECT o.objectId FROM Object o WHERE o.objectId < 1010 AND o.objectId IN (SELECT f.objectId FROM ForcedSource f WHERE f.objectId < 1010 AND f.mjd > 61041 + o.nDet * 0.1 AND f.objectId IN (SELECT g.objectId FROM ForcedSource g WHERE g.objectId < 1010 AND g.mjd < f.mjd - 9 AND g.mjd > 61041 + o.nDet * 0.1))

-- : sub-queries three deep, each naming the blocks around it
SELECT o.objectId FROM Object o WHERE o.objectId < 1008 AND o.objectId IN (SELECT f.objectId FROM ForcedSource f WHERE f.objectId < 1008 AND f.mjd > 61041 + o.nDet * 0.1 AND f.objectId IN (SELECT g.objectId FROM Object g WHERE g.objectId < 1008 AND g.nDet >= o.nDet AND EXISTS (SELECT 1 FROM ForcedSource h WHERE h.mjd < f.mjd - 9 AND h.objectId = g.objectId)))

-- : a correlated IN of values that may be NULL, and one under OR
SELECT o.objectId FROM Object o WHERE o.objectId < 1100 AND o.gFlux IN (SELECT p.gFlux FROM Object p WHERE p.nDet >= o.nDet) AND (o.nDet > 9 OR o.objectId IN (SELECT f.objectId FROM ForcedSource f WHERE f.mjd > 61062.2 + o.nDet * 0.01))

-- : NOT EXISTS over a sub-query in a sub-query that names the outermost block
SELECT o.objectId FROM Object o WHERE o.objectId < 1030 AND NOT EXISTS (SELECT 1 FROM ForcedSource f WHERE f.objectId = o.objectId AND f.mjd > 61041 + o.nDet * 0.5 AND EXISTS (SELECT 1 FROM ForcedSource g WHERE g.objectId = f.objectId AND g.mjd > f.mjd + o.nDet))

-- : two tables of a sub-query, each linked to the outer row
SELECT o.objectId FROM Object o WHERE EXISTS (SELECT 1 FROM ForcedSource f, ForcedSource g WHERE f.objectId = o.objectId AND g.objectId = o.objectId AND f.mjd > g.mjd + 20)

-- : ordered by an output that is a correlated sub-query over a derived table
SELECT t.kind, (SELECT count(*) FROM Visit v WHERE v.visit < t.m) AS m FROM (SELECT kind, max(nDet) AS m FROM Object GROUP BY kind) t ORDER BY m DESC

-- : DISTINCT by such an output, ordered by it
SELECT DISTINCT (SELECT COUNT(*) FROM Object o WHERE o.nDet > t.m - 2 AND o.objectId < 1100) AS n FROM (SELECT kind, MAX(nDet) AS m FROM Object GROUP BY kind) t ORDER BY n

-- : such an output of a derived table, used in WHERE, in the output and in the order
SELECT u.kind, u.n, u.n + 1 AS more FROM (SELECT t.kind, (SELECT COUNT(*) FROM Object o WHERE o.nDet > t.m - 3) AS n FROM (SELECT kind, MAX(nDet) AS m FROM Object GROUP BY kind) t) u WHERE u.n >= 0 ORDER BY u.n DESC, u.kind

-- : such an output of a derived table, used again inside a sub-query
SELECT u.kind, u.n FROM (SELECT t.kind, (SELECT COUNT(*) FROM Visit v WHERE v.visit < t.m) AS n FROM (SELECT kind, MAX(nDet) AS m FROM Object GROUP BY kind) t) u WHERE EXISTS (SELECT 1 FROM Object o WHERE o.nDet >= u.n) ORDER BY u.n

-- : a sub-query of a derived table, which chunks answer in WHERE and the merge in the output
SELECT u.objectId, u.m, (SELECT COUNT(*) FROM Object q WHERE q.nDet > u.nDet) AS k FROM (SELECT o.objectId, o.nDet, (SELECT COUNT(*) FROM Visit v WHERE v.visit < o.nDet) AS m FROM Object o WHERE o.objectId < 1050) u WHERE u.m > 3 ORDER BY u.m, u.objectId
