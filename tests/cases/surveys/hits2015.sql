-- Queries over HiTS 2015 as the prompt pipelines leave it (see tests/paths/test_real_surveys.py).

-- : every column of every DIA source
SELECT * FROM DiaSource
-- : every column of every DIA object
SELECT * FROM DiaObject
-- : forced photometry
SELECT * FROM DiaForcedSource
-- : sources of objects that were seen again
SELECT diaSourceId, midpointMjdTai, band, psfFlux FROM DiaSource WHERE diaObjectId IN (SELECT diaObjectId FROM DiaObject WHERE nDiaSources > 1)
-- : objects seen in two bands
SELECT diaObjectId, COUNT(DISTINCT band) AS bands, MAX(midpointMjdTai) - MIN(midpointMjdTai) AS span FROM DiaSource GROUP BY diaObjectId HAVING COUNT(*) > 1
-- : reliable sources with their objects
SELECT s.diaSourceId, o.nDiaSources, s.reliability FROM DiaSource AS s JOIN DiaObject AS o ON o.diaObjectId = s.diaObjectId WHERE s.reliability > 0.5
-- : sources by visit and detector
SELECT visit, detector, band, COUNT(*) AS n, AVG(snr) AS snr FROM DiaSource GROUP BY visit, detector, band
-- : dipoles, and NULL flags
SELECT isDipole, isNegative, shape_flag, COUNT(*) AS n FROM DiaSource GROUP BY isDipole, isNegative, shape_flag
-- : objects and their forced photometry, if any
SELECT o.diaObjectId, f.visit, f.psfFlux FROM DiaObject AS o LEFT JOIN DiaForcedSource AS f ON f.diaObjectId = o.diaObjectId WHERE o.nDiaSources > 1
-- : a histogram of positions by pixel of the mean flux
SELECT FLOOR(ra * 50) AS x, FLOOR(dec * 50) AS y, COUNT(*) AS n, MAX(psfFlux) AS brightest FROM DiaSource GROUP BY FLOOR(ra * 50), FLOOR(dec * 50)
