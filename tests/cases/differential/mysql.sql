-- MySQL's SELECT as Qserv's users write it: queries that must give, over shards, the rows of one
-- unsharded PostgreSQL asked the bound SQL. Each starts with a line `-- : what it shows`.

-- : back-ticks and a catalog's name
SELECT `objectId`, o.`ra` FROM `diff`.`Object` AS `o` WHERE `o`.`nDet` > 6
-- : a limit
SELECT objectId FROM Object ORDER BY objectId LIMIT 5
-- : an offset before a comma
SELECT objectId FROM Object ORDER BY objectId LIMIT 10, 5
-- : limit and offset
SELECT objectId FROM Object ORDER BY nDet DESC, objectId LIMIT 5 OFFSET 2
-- : whole numbers divided
SELECT objectId, nDet / 2 AS half, nDet DIV 2 AS wholes, nDet % 3 AS a, nDet MOD 3 AS b, MOD(nDet, 3) AS c, -nDet DIV 2 AS d FROM Object
-- : division by zero is NULL
SELECT objectId, nDet / (nDet - 3) AS q, nDet DIV (nDet - 3) AS d, nDet % (nDet - 3) AS m FROM Object
-- : floating numbers divided to wholes
SELECT objectId, ra DIV 7 AS d, ra DIV 0.7 AS e FROM Object
-- : equal or both NULL
SELECT COUNT(*) FROM Object WHERE flag <=> NULL
-- : equal or both NULL, joined
SELECT a.objectId FROM Object a JOIN Object b ON a.objectId = b.objectId AND a.kind <=> b.kind WHERE a.nDet = 3
-- : signs for AND, OR and NOT
SELECT objectId FROM Object WHERE nDet > 2 && !(nDet > 5) || objectId = 1001
-- : XOR of conditions
SELECT COUNT(*) FROM Object WHERE nDet > 4 XOR gFlux > 0
-- : not equal in two spellings
SELECT COUNT(*) FROM Object WHERE nDet != 3 AND kind <> 'star'
-- : a flag as a condition
SELECT COUNT(*) FROM Object WHERE flag
-- : a number as a condition
SELECT COUNT(*) FROM Object WHERE nDet - 3 AND NOT nDet % 2
-- : a flag compared with numbers
SELECT COUNT(*) FROM Object WHERE flag = 1 OR flag = 0
-- : a flag compared with TRUE
SELECT COUNT(*) FROM Object WHERE flag = TRUE
-- : IS TRUE, IS NOT NULL
SELECT COUNT(*) FROM Object WHERE flag IS NOT TRUE AND gFlux IS NOT NULL
-- : conditions as numbers
SELECT objectId, nDet > 3 AS many, NOT nDet > 3 AS few, (gFlux > 0) + (rFlux > 0) AS both FROM Object
-- : conditions summed and counted
SELECT SUM(nDet > 3) AS many, SUM(flag) AS flagged, AVG(gFlux > 0) AS share, COUNT(nDet > 3 OR NULL) AS n FROM Object
-- : IF
SELECT objectId, IF(nDet > 3, 'many', 'few') AS a, IF(flag, 1, 0) AS b, IF(gFlux, gFlux, 0) AS c FROM Object
-- : IFNULL, NULLIF, COALESCE, ISNULL
SELECT objectId, IFNULL(gFlux, -1) AS a, NULLIF(nDet, 3) AS b, COALESCE(gFlux, rFlux) AS c, ISNULL(gFlux) AS d FROM Object
-- : NULL in CONCAT, GREATEST and LEAST
SELECT objectId, CONCAT(kind, '-', nDet) AS a, GREATEST(gFlux, rFlux) AS b, LEAST(gFlux, rFlux, 0) AS c FROM Object
-- : CONCAT_WS leaves NULL out
SELECT objectId, CONCAT_WS('/', kind, nDet, NULL) AS a FROM Object
-- : a HAVING by an alias
SELECT kind, COUNT(*) AS n FROM Object GROUP BY kind HAVING n > 100
-- : GROUP BY an alias, ORDER BY an alias
SELECT nDet DIV 3 AS third, COUNT(*) AS n FROM Object GROUP BY third ORDER BY n DESC, third
-- : GROUP BY and ORDER BY positions
SELECT kind, flag, COUNT(*) FROM Object GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
-- : NULL sorts first
SELECT objectId, gFlux FROM Object ORDER BY gFlux, objectId LIMIT 20
-- : NULL sorts last descending
SELECT objectId, gFlux FROM Object ORDER BY gFlux DESC, objectId DESC LIMIT 20
-- : WITH ROLLUP
SELECT kind, flag, SUM(nDet) AS n FROM Object GROUP BY kind, flag WITH ROLLUP
-- : LIKE on numbers
SELECT objectId FROM Object WHERE objectId LIKE '10%5'
-- : LIKE on text with an escape
SELECT COUNT(*) FROM Object WHERE kind LIKE 'st\_r' OR kind NOT LIKE '%a%'
-- : bit operators in MySQL's order
SELECT DISTINCT 1 | 2 & 4 AS a, 5 ^ 1 AS b, 2 * 3 ^ 1 AS c, 1 + 2 << 3 AS d, 12 >> 1 + 1 AS e, ~0 & 255 AS f, 6 & 3 | 8 AS g, 7 - 2 - 1 AS h FROM Object
-- : bits of a column
SELECT objectId, nDet & 1 AS odd, nDet | 8 AS b, nDet ^ 3 AS c, nDet << 2 AS d, nDet >> 1 AS e FROM Object
-- : hexadecimal numbers
SELECT COUNT(*) FROM Object WHERE nDet & 0x3 = 0x1
-- : strings in either quotes
SELECT DISTINCT "it's" AS a, 'say "x"' AS b, 'it\'s' AS c, 'it''s' AS d FROM Visit
-- : parts of texts counted MySQL's way
SELECT DISTINCT kind, SUBSTRING(kind, 2, 3) AS a, SUBSTR(kind, -2) AS b, SUBSTRING(kind FROM 3) AS c, SUBSTRING(kind, 0) AS d, SUBSTRING(kind, -9, 4) AS e, LEFT(kind, 2) AS f, RIGHT(kind, 3) AS g, MID(kind, 2, 2) AS h FROM Object
-- : other functions on texts
SELECT DISTINCT band, UPPER(band) AS a, LCASE(band) AS b, LENGTH(band) AS c, CHAR_LENGTH(band) AS d, LPAD(band, 3, 'x') AS e, REPEAT(band, 2) AS f, REPLACE(band, 'g', 'G') AS g, REVERSE(CONCAT(band, '1')) AS h, TRIM('  x ') AS i, LTRIM('  x') AS j, LOCATE('r', band) AS k, INSTR(band, 'r') AS l FROM Visit
-- : REGEXP and RLIKE
SELECT kind, COUNT(*) FROM Object WHERE kind REGEXP '^s' OR kind RLIKE 'y$' GROUP BY kind
-- : NOT REGEXP
SELECT COUNT(*) FROM Object WHERE kind NOT REGEXP 'a.*x'
-- : statistics are the population's
SELECT STDDEV(gFlux) AS a, STD(gFlux) AS b, VARIANCE(nDet) AS c, STDDEV_SAMP(nDet) AS d, VAR_SAMP(gFlux) AS e FROM Object
-- : values joined
SELECT kind, GROUP_CONCAT(nDet ORDER BY nDet DESC, objectId SEPARATOR ';') AS n FROM Object WHERE gFlux > 300 GROUP BY kind
-- : texts joined
SELECT visit, GROUP_CONCAT(DISTINCT band ORDER BY band) AS bands FROM ForcedSource GROUP BY visit
-- : bits aggregated
SELECT kind, BIT_OR(nDet) AS o, BIT_AND(nDet) AS a, BIT_XOR(nDet) AS x FROM Object GROUP BY kind
-- : mathematics
SELECT objectId, TRUNCATE(ra, 2) AS a, ROUND(dec, 1) AS b, LOG(nDet + 1) AS c, LOG10(nDet + 1) AS d, LOG2(nDet + 1) AS e, LOG(2, nDet + 1) AS f, POW(nDet, 2) AS g, CEILING(ra) AS h, FLOOR(dec) AS i, ABS(dec) AS j, SQRT(nDet) AS k, PI() AS l, ATAN2(dec, ra) AS m, SIGN(dec) AS n FROM Object
-- : casts
SELECT objectId, CAST(gFlux AS SIGNED) AS a, CAST(nDet AS CHAR) AS b, CAST(ra AS DECIMAL(10, 2)) AS c, CAST('12' AS UNSIGNED) AS d FROM Object WHERE gFlux BETWEEN -1000 AND 1000
-- : times
SELECT visit, YEAR(obsStart) AS y, MONTH(obsStart) AS m, DAYOFMONTH(obsStart) AS d, HOUR(obsStart) AS h, DATE(obsStart) AS day, DATE_ADD(obsStart, INTERVAL 1 DAY) AS a, obsStart - INTERVAL 2 HOUR AS b FROM Visit
-- : a child joined by key
SELECT o.objectId, f.mjd, f.psfFlux FROM Object o, ForcedSource f WHERE o.objectId = f.objectId AND o.nDet > 6
-- : a child joined, grouped, an average
SELECT o.objectId, COUNT(*) AS n, AVG(f.psfFlux) AS mean FROM Object o INNER JOIN ForcedSource f USING (objectId) GROUP BY o.objectId HAVING n > 3 ORDER BY n DESC, o.objectId LIMIT 10
-- : a near-neighbour pair by sciSQL's function
SELECT a.objectId, b.objectId AS other FROM Object a, Object b WHERE scisql_angSep(a.ra, a.dec, b.ra, b.dec) < 0.002 AND a.objectId <> b.objectId
-- : photometry by sciSQL's function
SELECT objectId, scisql_nanojanskyToAbMag(gFlux) AS mag FROM Object WHERE nanojanskyToAbMag(gFlux) BETWEEN 20 AND 26
-- : a box by its sciSQL function
SELECT objectId FROM Object WHERE scisql_s2PtInBox(ra, dec, 359.0, -1.0, 1.0, 1.0) = 1
-- : a circle by its sciSQL function, no comparison
SELECT objectId FROM Object WHERE s2PtInCircle(ra, dec, 45.0, 0.0, 0.5)
-- : an area box restricts the director
SELECT objectId FROM Object WHERE qserv_areaspec_box(359.0, -1.0, 1.0, 1.0)
-- : an area circle beside a filter
SELECT objectId, nDet FROM Object WHERE qserv_areaspec_circle(45.0, 0.0, 1.0) AND nDet > 3
-- : an area ellipse
SELECT COUNT(*) FROM Object WHERE qserv_areaspec_ellipse(0.0, 0.0, 7200, 3600, 30)
-- : an area polygon
SELECT objectId FROM Object WHERE qserv_areaspec_poly(359.0, -1.0, 1.0, -1.0, 1.0, 1.0, 359.0, 1.0)
-- : an area restricts a child by its director
SELECT forcedSourceId FROM ForcedSource WHERE qserv_areaspec_circle(45.0, 0.0, 1.0)
-- : an area restricts both sides of a join
SELECT o.objectId, f.forcedSourceId FROM Object o JOIN ForcedSource f ON o.objectId = f.objectId WHERE qserv_areaspec_box(359.0, -1.0, 1.0, 1.0) AND f.mjd > 60000
-- : an area compared with 1
SELECT COUNT(*) FROM Source WHERE qserv_areaspec_circle(45.0, 0.0, 1.0) = 1
-- : an area and two directors
SELECT a.objectId, b.sourceId FROM Object a, Source b WHERE qserv_areaspec_circle(45.0, 0.0, 1.0) AND scisql_angSep(a.ra, a.dec, b.ra, b.dec) < 0.005
-- : a sub-query and a union
SELECT objectId FROM Object WHERE objectId IN (SELECT objectId FROM ForcedSource WHERE band = "u") UNION SELECT objectId FROM ObjectSource
-- : a window function
SELECT objectId, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY nDet DESC, objectId) AS n FROM Object
-- : CASE with flags
SELECT objectId, CASE WHEN flag THEN 'flagged' WHEN nDet THEN 'seen' ELSE 'none' END AS c FROM Object
-- : an outer join and IFNULL
SELECT v.visit, IFNULL(s.n, 0) AS n FROM Visit v LEFT JOIN (SELECT visit, COUNT(*) AS n FROM Source GROUP BY visit) s ON s.visit = v.visit
-- : a comment after a number sign
SELECT COUNT(*) # how many
FROM Object -- all
-- : a table called Filter
SELECT f.band, COUNT(*) AS n FROM diff.Filter AS f JOIN ForcedSource AS s ON s.band = f.band WHERE f.wavelength > 500 GROUP BY f.band
-- : CONVERT to types and to a character set
SELECT CONVERT(gFlux, SIGNED) AS a, CONVERT(kind USING utf8mb4) AS b, CONVERT(nDet, CHAR) AS c, CONVERT(ra, DECIMAL(10, 2)) AS d, CONVERT(kind, CHAR(2)) AS e, CONVERT('2026-01-01', DATETIME) AS f, CONVERT(nDet, UNSIGNED) AS g FROM Object WHERE gFlux < 1000
-- : FROM DUAL
SELECT 1 + 1 AS two FROM DUAL
-- : distinct combinations without NULL counted
SELECT COUNT(DISTINCT kind, flag) AS n, COUNT(DISTINCT kind) AS k FROM Object
-- : rows in a list, equal or both NULL
SELECT objectId FROM Object WHERE (objectId, nDet) IN ((1002, 2), (1003, 7)) OR (flag, nDet) <=> (NULL, 5)
-- : greater than all
SELECT objectId FROM Object WHERE nDet > ALL (SELECT nDiaSources FROM DiaObject) AND nDet > '37'
-- : rows not in a sub-query
SELECT COUNT(*) FROM ForcedSource WHERE (visit, band) NOT IN (SELECT visit, band FROM Visit)
-- : days and hours between times
SELECT visit, DATEDIFF(obsStart, '2026-01-01') AS d, TIMESTAMPDIFF(HOUR, '2026-01-01', obsStart) AS h, TIMESTAMPDIFF(SECOND, obsStart, '2026-01-01') AS s FROM Visit
-- : words on caching say nothing
SELECT SQL_NO_CACHE COUNT(*) FROM Object
-- : texts whose length comes from rows
SELECT visit, LENGTH(LPAD(band, visit % 100, '*')) AS l, RPAD(band, visit % 5, 'xy') AS r, REPEAT(band, visit % 4) AS n FROM Visit
