"""The simulated survey: the same bytes, the right columns, a believable sky."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from schema.catalog import Catalog
from schema.felis import read_catalog
from schema.healpix import separation_arcsec
from schema.types import SPELLINGS
from workers.simulate.cadence import altitude_azimuth, plan_visits
from workers.simulate.model_tables import model_table
from workers.simulate.observing import SkyIndex, outline
from workers.simulate.photometry import COADD_DEPTH, flux_error, flux_njy, magnitude
from workers.simulate.population import CLUSTERS, Cluster, draw_population
from workers.simulate.sky import SURVEY, galactic, galactic_equator, patches_of, tracts
from workers.simulate.survey import TABLES, Recipe, Survey, simulate


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog("dp1", "dp1")


@pytest.fixture(scope="module")
def survey(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Survey:
    folder = tmp_path_factory.mktemp("survey")
    return simulate(folder, catalog, Recipe(scale=0.02, threads=3), lambda _: None)


@cache
def rows(survey: Survey, table: str) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in survey.paths(table)])


def digests(survey: Survey) -> dict[str, str]:
    paths = [*(file.path for file in survey.files), survey.truth, survey.footprints]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_seed_gives_the_same_bytes(
    survey: Survey, catalog: Catalog, tmp_path: Path
) -> None:
    again = simulate(tmp_path, catalog, Recipe(scale=0.02, threads=1), lambda _: None)
    assert digests(again) == digests(survey)


def test_another_seed_gives_another_sky() -> None:
    one, two = (draw_population(np.random.default_rng(seed), 1000) for seed in (7, 8))
    assert not np.array_equal(one.ra, two.ra)


@pytest.mark.parametrize("name", TABLES)
def test_each_table_has_the_model_s_columns(survey: Survey, catalog: Catalog, name: str) -> None:
    table = catalog.table(name)
    assert table is not None
    schema = rows(survey, name).schema
    assert schema.names == [column.name for column in table.columns]
    assert schema.types == [SPELLINGS[column.type].arrow for column in table.columns]
    assert rows(survey, name).num_rows == survey.rows(name) > 0


@pytest.mark.parametrize("name", TABLES)
def test_what_may_not_be_null_is_not(survey: Survey, catalog: Catalog, name: str) -> None:
    table = catalog.table(name)
    assert table is not None
    found = rows(survey, name)
    assert [c.name for c in table.columns if not c.nullable and found[c.name].null_count] == []


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("Object", "objectId"),
        ("Source", "sourceId"),
        ("Visit", "visit"),
        ("DiaObject", "diaObjectId"),
        ("DiaSource", "diaSourceId"),
    ],
)
def test_keys_are_unique(survey: Survey, table: str, key: str) -> None:
    assert pc.count_distinct(rows(survey, table)[key]).as_py() == survey.rows(table)


@pytest.mark.parametrize(
    ("child", "key", "parent"),
    [
        ("ForcedSource", "objectId", "Object"),
        ("ForcedSource", "visit", "Visit"),
        ("DiaSource", "diaObjectId", "DiaObject"),
        ("ForcedSourceOnDiaObject", "diaObjectId", "DiaObject"),
    ],
)
def test_every_child_has_its_parent(survey: Survey, child: str, key: str, parent: str) -> None:
    known = rows(survey, parent)[key].combine_chunks()
    assert pc.all(pc.is_in(rows(survey, child)[key], value_set=known)).as_py()


def test_there_are_ten_epochs_an_object(survey: Survey) -> None:
    epochs = survey.rows("Source") + survey.rows("ForcedSource")
    assert 8 * survey.rows("Object") < epochs < 12 * survey.rows("Object")


def test_the_footprint_crosses_the_meridian(survey: Survey) -> None:
    ra = rows(survey, "Object")["coord_ra"].to_numpy()
    assert (ra < 10.0).any()
    assert (ra > 350.0).any()
    assert 5000 < SURVEY.area_deg2() < 5500


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_clusters_are_dense(survey: Survey, cluster: Cluster) -> None:
    found = rows(survey, "Object")
    ra, dec = found["coord_ra"].to_numpy(), found["coord_dec"].to_numpy()
    away = separation_arcsec(ra, dec, cluster.ra, cluster.dec)
    inside = (away < 3600.0).sum() / np.pi
    assert inside > 30 * len(ra) / SURVEY.area_deg2()


def test_the_galactic_plane_is_dense(survey: Survey) -> None:
    found = rows(survey, "Object")
    _, latitude = galactic(found["coord_ra"].to_numpy(), found["coord_dec"].to_numpy())
    ra, dec = SURVEY.scatter(np.random.default_rng(1), 20_000)
    _, evenly = galactic(ra, dec)
    density = [((np.abs(b) < 10).mean(), (np.abs(b) > 40).mean()) for b in (latitude, evenly)]
    assert density[0][0] / density[1][0] > 3.0 * density[0][1] / density[1][1]


def test_measured_fluxes_scatter_about_the_truth_by_their_errors(survey: Survey) -> None:
    truth = pq.read_table(survey.truth)
    found = rows(survey, "Object")
    is_point = pc.not_equal(truth["kind"], "galaxy").to_numpy()
    flux, error = found["r_psfFlux"].to_numpy(), found["r_psfFluxErr"].to_numpy()
    pulls = (flux - flux_njy(truth["r_mag"].to_numpy().astype(float))) / error
    pulls = pulls[is_point & np.isfinite(pulls)]
    assert abs(pulls.mean()) < 0.05
    assert 0.95 < pulls.std() < 1.05


def test_magnitudes_and_fluxes_agree(survey: Survey) -> None:
    found = rows(survey, "Object")
    flux, given = found["g_psfFlux"].to_numpy(), found["g_psfMag"].to_numpy()
    assert np.allclose(given, magnitude(flux.astype(float)), equal_nan=True, atol=1e-3)
    assert np.isnan(given[flux <= 0]).all()


def test_variable_stars_vary_and_others_do_not(survey: Survey) -> None:
    truth, forced = pq.read_table(survey.truth), rows(survey, "ForcedSource")
    pull = pc.abs(pc.divide(forced["psfDiffFlux"], forced["psfDiffFluxErr"])).to_numpy()
    ids = truth["objectId"].to_numpy()
    order = np.argsort(ids)
    place = order[np.searchsorted(ids, forced["objectId"].to_numpy(), sorter=order)]
    variable = np.array(truth["variable"].to_pylist())[place]
    assert np.median(pull[variable == "rr_lyrae"]) > 5.0
    assert 0.6 < np.median(pull[variable == "constant"]) < 0.75


def test_sources_are_detections_near_their_objects(survey: Survey) -> None:
    found = rows(survey, "Source")
    signal = pc.divide(found["psfFlux"], found["psfFluxErr"]).to_numpy()
    assert signal.min() > 4.99
    assert found["raErr"].to_numpy().max() * 3600 < 0.1


def test_sightings_lie_in_the_visits_outlines(survey: Survey) -> None:
    from matplotlib.path import Path as Polygon

    visits = plan_visits(np.random.default_rng(3))
    ra, dec = SURVEY.scatter(np.random.default_rng(4), 200_000)
    seen = SkyIndex(ra, dec).seen_by(visits, np.array([100]))
    corners = np.array(outline(visits.ra[100], visits.dec[100], visits.rotation[100]))
    scale = np.cos(np.radians(visits.dec[100]))
    here = np.stack([(ra - visits.ra[100] + 180) % 360 - 180, dec], axis=1) * [scale, 1]
    edge = np.stack([(corners[:, 0] - visits.ra[100] + 180) % 360 - 180, corners[:, 1]], axis=1)
    inside = np.flatnonzero(Polygon(edge * [scale, 1]).contains_points(here))
    assert len(np.setxor1d(inside, seen.objects)) < 0.06 * len(inside)
    assert 8.5 < len(seen) * SURVEY.area_deg2() / 200_000 < 12.0


def test_visits_are_at_night_and_high() -> None:
    visits = plan_visits(np.random.default_rng(5))
    altitude, azimuth = altitude_azimuth(visits)
    assert (np.diff(visits.mjd) >= 0).all()
    assert np.percentile(altitude, 1) > 45.0
    assert ((azimuth >= 0) & (azimuth < 360)).all()
    assert len(np.unique(visits.number)) == len(visits)


def test_galactic_coordinates_are_astropy_s() -> None:
    ra, dec = SURVEY.scatter(np.random.default_rng(6), 100)
    longitude, latitude = galactic(ra, dec)
    wanted = SkyCoord(ra * units.deg, dec * units.deg).galactic
    assert np.allclose(longitude, wanted.l.deg, atol=1e-6)
    assert np.allclose(latitude, wanted.b.deg, atol=1e-6)
    assert np.allclose(galactic(*galactic_equator())[1], 0.0, atol=1e-9)


def test_tracts_tile_the_sky() -> None:
    ra = np.array([0.0, 359.999, 10.0, 10.0])
    tract, patch = tracts(ra, np.array([0.1, 0.1, -90.0, 90.0]))
    assert len(set(tract.tolist())) == 4
    assert ((patch >= 0) & (patch < 16)).all()
    patches = patches_of(SURVEY)
    middle = (patches.bounds[:, :2] + patches.bounds[:, 2:]) / 2
    found_tract, found_patch = tracts(middle[:, 0], middle[:, 1])
    assert (found_tract == patches.tract).all()
    assert (found_patch == patches.patch).all()


def test_depth_is_where_the_error_is_a_fifth_of_the_flux() -> None:
    flux = flux_njy(COADD_DEPTH)
    assert np.allclose(flux_error(flux, COADD_DEPTH) / flux, 0.2, atol=0.03)


def test_a_column_that_the_model_lacks_is_a_bug(catalog: Catalog) -> None:
    table = catalog.table("Visit")
    assert table is not None
    with pytest.raises(AssertionError, match="Visit has no"):
        model_table(table, 1, {"nonsense": np.zeros(1)})


def test_a_scale_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        Recipe(scale=0.0)
