-- Queries over PT1.1 (see tests/paths/test_real_surveys.py).

-- : every column of every object
SELECT * FROM Object
-- : every column of the sources in a cone
SELECT * FROM Source WHERE 1 = CONTAINS(POINT(ra, decl), CIRCLE(1.3, 3.27, 0.02))
-- : an object by its key
SELECT objectId, ra_PS, decl_PS, iauId FROM Object WHERE objectId = 433327840428032
-- : its light curve
SELECT taiMidPoint, filterId, psfFlux, psfFluxErr FROM Source WHERE objectId = 433327840428032 ORDER BY taiMidPoint
-- : bright variable objects
SELECT o.objectId, COUNT(*) AS n, AVG(s.psfFlux) AS mean, STDDEV(s.psfFlux) AS sigma FROM Object AS o JOIN Source AS s ON s.objectId = o.objectId WHERE s.filterId = 2 GROUP BY o.objectId HAVING COUNT(*) > 2
-- : fluxes to AB magnitudes
SELECT objectId, scisql_nanojanskyToAbMag(1e32 * gFlux_PS) AS g, -2.5 * LOG10(gFlux_PS / rFlux_PS) AS g_r FROM Object WHERE gFlux_PS > 0 AND rFlux_PS > 1e-30
-- : objects in a box of coordinates, with a quotient of REALs
SELECT objectId, gFlux_PS, rFlux_PS / gFlux_PS AS colour FROM Object WHERE ra_PS BETWEEN 1.28 AND 1.32 AND decl_PS BETWEEN 3.2 AND 3.3 AND gFlux_PS > 0
-- : objects that no filter but one has seen
SELECT objectId, uNumObs, rNumObs FROM Object WHERE uNumObs IS NOT NULL AND gNumObs IS NULL AND rNumObs IS NULL
-- : NULLs counted by column
SELECT COUNT(*) AS n, COUNT(uNumObs) AS u, COUNT(gNumObs) AS g, COUNT(rNumObs) AS r, COUNT(iNumObs) AS i, COUNT(zNumObs) AS z, COUNT(yNumObs) AS y FROM Object
-- : detections by filter
SELECT filterId, COUNT(*) AS n, COUNT(DISTINCT objectId) AS objects, MIN(taiMidPoint) AS first_seen, MAX(snr) AS best FROM Source GROUP BY filterId ORDER BY filterId
-- : objects with their r detections, if any
SELECT o.objectId, s.sourceId FROM Object AS o LEFT JOIN Source AS s ON s.objectId = o.objectId AND s.filterId = 2 AND s.snr > 50 WHERE o.decl_PS < 3.22
-- : detections that moved from their object
SELECT s.sourceId, 3600 * DISTANCE(POINT(s.ra, s.decl), POINT(o.ra_PS, o.decl_PS)) AS arcsec FROM Source AS s JOIN Object AS o ON o.objectId = s.objectId WHERE s.raErrForDetection < 0.001 ORDER BY s.sourceId
-- : near neighbours
SELECT a.objectId, b.objectId AS other FROM Object AS a, Object AS b WHERE DISTANCE(POINT(a.ra_PS, a.decl_PS), POINT(b.ra_PS, b.decl_PS)) < 0.002 AND a.objectId < b.objectId
-- : the five faintest in the z band
SELECT TOP 5 objectId, zFlux_PS FROM Object WHERE zFlux_PS IS NOT NULL ORDER BY zFlux_PS, objectId
-- : exposures and what they saw
SELECT scienceCcdExposureId, filterId, COUNT(*) AS n, SUM(psfFlux) AS total FROM Source GROUP BY scienceCcdExposureId, filterId
