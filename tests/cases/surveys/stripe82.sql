-- Queries over the Stripe 82 catalogs (see tests/paths/test_real_surveys.py).

-- : every column of every deep source
SELECT * FROM RunDeepSource
-- : every column of the reference objects in a cone
SELECT * FROM RefObject WHERE 1 = CONTAINS(POINT(ra, decl), CIRCLE(55.0, -0.8, 0.1))
-- : every column of every match
SELECT * FROM RefDeepSrcMatch
-- : every footprint, its texts and times
SELECT * FROM Science_Ccd_Exposure
-- : coadds whose patch and path hold a delimiter
SELECT deepCoaddId, patch, path FROM DeepCoadd ORDER BY deepCoaddId
-- : counts from the manifest
SELECT COUNT(*) FROM AvgForcedPhotYearly
-- : extended sources with colours, joined to their average photometry
SELECT s.id, a.medMag_g - a.medMag_r AS g_r, a.medMag_r - a.medMag_i AS r_i FROM RunDeepSource AS s JOIN AvgForcedPhot AS a ON a.deepSourceId = s.id WHERE s.classification_extendedness > 0.5 AND a.medMag_r < 23
-- : sources without a g magnitude, by an outer join
SELECT s.id, a.nMag_g FROM RunDeepSource AS s LEFT JOIN AvgForcedPhot AS a ON a.deepSourceId = s.id AND a.medMag_g IS NOT NULL WHERE a.deepSourceId IS NULL
-- : a yearly light curve by its key
SELECT "year", medMag_g, medMag_r, medMag_i FROM AvgForcedPhotYearly WHERE deepSourceId = 1398579058966640 ORDER BY "year"
-- : variability: the spread of the yearly medians
SELECT deepSourceId, COUNT(medMag_r) AS n, MAX(medMag_r) - MIN(medMag_r) AS spread, STDDEV(medMag_r) AS sigma FROM AvgForcedPhotYearly GROUP BY deepSourceId HAVING COUNT(medMag_r) > 4
-- : magnitudes by year, with NULLs among them
SELECT "year", COUNT(*) AS n, COUNT(medMag_g) AS n_g, AVG(medMag_g) AS mean_g, MIN(magBright_g) AS brightest FROM AvgForcedPhotYearly GROUP BY "year" ORDER BY "year"
-- : matched pairs with both their rows
SELECT m.refObjectId, m.deepSourceId, m.angSep, r.rMag, s.flux_psf FROM RefDeepSrcMatch AS m JOIN RefObject AS r ON r.refObjectId = m.refObjectId JOIN RunDeepSource AS s ON s.id = m.deepSourceId WHERE r.isStar = 1
-- : deep sources that match no reference object
SELECT s.id, s.coord_ra, s.coord_decl FROM RunDeepSource AS s JOIN RefDeepSrcMatch AS m ON m.deepSourceId = s.id WHERE m.refObjectId IS NULL
-- : every source with its reference, if it has one
SELECT s.id, m.refObjectId, m.angSep FROM RunDeepSource AS s LEFT JOIN RefDeepSrcMatch AS m ON m.deepSourceId = s.id AND m.closestToSrc = 1
-- : the match anew: reference objects within an arcsecond of a source
SELECT s.id, r.refObjectId FROM RunDeepSource AS s JOIN RefObject AS r ON 1 = CONTAINS(POINT(r.ra, r.decl), CIRCLE(s.coord_ra, s.coord_decl, 0.00027777777777777778))
-- : the separation that the match table has, computed again
SELECT COUNT(*) FROM RefDeepSrcMatch WHERE ABS(3600 * DISTANCE(POINT(ra, decl), POINT(coord_ra, coord_decl)) - angSep) > 0.000001
-- : close pairs of deep sources
SELECT a.id, b.id AS other FROM RunDeepSource AS a JOIN RunDeepSource AS b ON 1 = CONTAINS(POINT(b.coord_ra, b.coord_decl), CIRCLE(a.coord_ra, a.coord_decl, 0.002)) WHERE a.id < b.id
-- : sources by the coadd that they were found on, if it is here
SELECT d.patch, COUNT(*) AS n, COUNT(s.parent) AS blended, AVG(s.flux_psf / s.flux_psf_err) AS snr FROM RunDeepSource AS s LEFT JOIN DeepCoadd AS d ON d.deepCoaddId = s.coadd_id GROUP BY d.patch
-- : flags stored as BIT
SELECT flags_pixel_saturated_any, flags_pixel_edge, COUNT(*) AS n FROM RunDeepSource GROUP BY flags_pixel_saturated_any, flags_pixel_edge
-- : negative fluxes have no magnitude
SELECT id, flux_psf, -2.5 * LOG10(flux_psf) AS mag FROM RunDeepSource WHERE flux_psf < 5 OR flux_psf IS NULL
-- : the ten brightest in a polygon
SELECT TOP 10 refObjectId, ra, decl, rMag FROM RefObject WHERE 1 = CONTAINS(POINT(ra, decl), POLYGON(54.9, -1.2, 55.1, -1.2, 55.1, -0.5, 54.9, -0.5)) ORDER BY rMag, refObjectId
-- : the number counts of stars and galaxies
SELECT isStar, FLOOR(rMag) AS bin, COUNT(*) AS n FROM RefObject GROUP BY isStar, FLOOR(rMag) ORDER BY isStar, bin
-- : exposures by filter
SELECT f.filterName, COUNT(*) AS n, AVG(e.fwhm) AS seeing, MIN(e.obsStart) AS first_start FROM Science_Ccd_Exposure AS e JOIN Filter AS f ON f.filterId = e.filterId GROUP BY f.filterName
-- : filters without an exposure
SELECT f.filterName FROM Filter AS f LEFT JOIN Science_Ccd_Exposure AS e ON e.filterId = f.filterId WHERE e.scienceCcdExposureId IS NULL
-- : paths and times
SELECT run, camcol, path, expMidpt FROM Science_Ccd_Exposure WHERE path LIKE 'sci-results/94/%' AND obsStart < '1998-09-20'
-- : sources near footprints' centres: replicated footprints by position
SELECT e.scienceCcdExposureId, COUNT(*) AS n FROM RunDeepSource AS s JOIN Science_Ccd_Exposure AS e ON 1 = CONTAINS(POINT(s.coord_ra, s.coord_decl), CIRCLE(e.ra, e.decl, 0.05)) WHERE e.filterName = 'g' GROUP BY e.scienceCcdExposureId
-- : reference objects without a close match
SELECT r.refObjectId FROM RefObject AS r WHERE NOT EXISTS (SELECT 1 FROM RefDeepSrcMatch AS m WHERE m.refObjectId = r.refObjectId AND m.angSep < 0.2)
