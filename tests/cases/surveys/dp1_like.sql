-- Queries over DIA sources whose objects are elsewhere (see tests/paths/test_real_surveys.py).

-- : every column of every source
SELECT * FROM DiaSource
-- : objects seen often, though none of them has a row
SELECT diaObjectId, COUNT(*) AS n, AVG(psfFlux) AS mean, STDDEV(psfFlux) AS sigma FROM DiaSource GROUP BY diaObjectId HAVING COUNT(*) > 3
-- : an orphan's sources by its key
SELECT visit, band, midpointMjdTai, scienceFlux FROM DiaSource WHERE diaObjectId = 2226735346618466403 ORDER BY midpointMjdTai
-- : a cone
SELECT diaObjectId, visit, ra, dec, snr FROM DiaSource WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(53.69, -28.22, 0.02))
-- : NULLs of sources without an error or a dipole
SELECT band, COUNT(*) AS n, COUNT(raErr) AS with_error, COUNT(dipoleLength) AS dipoles FROM DiaSource GROUP BY band
-- : no object has a row
SELECT COUNT(*) FROM DiaSource AS s JOIN DiaObject AS o ON o.diaObjectId = s.diaObjectId
-- : flags
SELECT pixelFlags_edge, centroid_flag, isDipole, COUNT(*) AS n FROM DiaSource GROUP BY pixelFlags_edge, centroid_flag, isDipole
