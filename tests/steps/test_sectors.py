"""Radial profiles in sectors: brute force, symmetries, the seam and pyFAI."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Exposure
from nxscatter.science.geometry import pyfai_bridge, qspace
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from nxscatter.steps.sectors import RadialSectors
from support.scattering import make_geometry, make_image

GEOMETRY = make_geometry()
TILTED = make_geometry(distance=0.02, rot1=12.0, rot2=-7.0, rot3=30.0)


def counts(frames=1, level=8.0, seed=11):
    return np.random.default_rng(seed).poisson(level, (frames, *GEOMETRY.shape)).astype(np.uint32)


def holes(share=0.2, seed=12):
    return np.random.default_rng(seed).random(GEOMETRY.shape) < share


def same(one, other):
    for name in ("chi", "q", "intensity", "intensity_errors", "pixels"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("geometry", [GEOMETRY, TILTED])
@pytest.mark.parametrize(("offset", "width"), [(0.0, 10.0), (180.0, 30.0), (-100.0, 120.0)])
def test_bins_hold_the_mean_of_their_valid_pixels(geometry, offset, width):
    image = make_image(counts(), holes())
    made = RadialSectors(nb_azim=3, offset=offset, delta=70.0, width=width, bins=20)(image, geometry)
    where = qspace.pixels(geometry)
    edges = np.linspace(*qspace.q_range(geometry), 21)
    for sector, middle in enumerate(offset + 70.0 * np.arange(3)):
        away = np.abs((where.chi - middle + 180) % 360 - 180)
        for number in range(20):
            inside = (away <= width / 2) & (where.q >= edges[number]) & (where.q < edges[number + 1])
            members = inside & np.isfinite(image.intensity)
            assert made.pixels[sector, number] == np.count_nonzero(members)
            if members.any():
                assert made.intensity[sector, number] == pytest.approx(image.intensity[members].mean())
                error = np.sqrt(image.intensity[members].sum()) / np.count_nonzero(members)
                assert made.intensity_errors[sector, number] == pytest.approx(error)
            else:
                assert np.isnan(made.intensity[sector, number])


def test_the_width_is_the_full_one():
    made = RadialSectors(nb_azim=4, delta=90.0, width=90.0)(make_image(counts()), GEOMETRY)
    shared = np.count_nonzero(np.isin(np.abs(qspace.chi_map(GEOMETRY)), [45.0, 135.0]))
    assert made.pixels.sum() == counts()[0].size + shared
    whole = RadialSectors(nb_azim=1, width=360.0)(make_image(counts()), GEOMETRY)
    assert whole.pixels.sum() == counts()[0].size


@given(offset=st.sampled_from([-270.0, 90.0, 450.0]), width=st.floats(1, 300))
@settings(max_examples=20, deadline=None)
def test_a_turn_of_360_degrees_changes_nothing(offset, width):
    image = make_image(counts(), holes())
    one = RadialSectors(nb_azim=1, offset=90.0, width=width)(image, GEOMETRY)
    same(RadialSectors(nb_azim=1, offset=offset, width=width)(image, GEOMETRY), one)


def test_sectors_are_named_within_the_circle():
    made = RadialSectors(nb_azim=6, offset=-90.0, delta=90.0)(make_image(counts()), GEOMETRY)
    assert made.chi.tolist() == [-90, 0, 90, 180, -90, 0]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_image_has_the_sectors_turned(turns):
    geometry = make_geometry(100, 100, center_y=50.0, center_x=50.0)
    frame = np.random.default_rng(1).poisson(9.0, (100, 100))
    step = RadialSectors(nb_azim=4, width=20.0)
    plain = step(make_image(frame[np.newaxis]), geometry)
    turned = step(make_image(np.rot90(frame, -turns)[np.newaxis]), geometry)
    np.testing.assert_allclose(np.roll(plain.intensity, turns, axis=0), turned.intensity)


def test_a_transposed_image_has_the_sectors_mirrored():
    geometry = make_geometry(101, 101, center_y=48.2, center_x=53.9)
    mirrored = replace(geometry, center_y=53.9, center_x=48.2)
    frame = np.random.default_rng(1).poisson(9.0, (101, 101))
    plain = RadialSectors(nb_azim=1, offset=30.0, width=20.0)(make_image(frame[np.newaxis]), geometry)
    turned = RadialSectors(nb_azim=1, offset=60.0, width=20.0)(make_image(frame.T[np.newaxis]), mirrored)
    np.testing.assert_allclose(plain.intensity, turned.intensity)


@pytest.mark.parametrize("geometry", [GEOMETRY, TILTED])
def test_pyfai_finds_the_same(geometry):
    image = make_image(counts() + 1, holes())  # pyFAI gives a pixel without counts a variance of 1
    low, high = qspace.q_range(geometry)
    made = RadialSectors(nb_azim=2, offset=20.0, delta=115.0, width=31.0, q_min=low, q_max=high, bins=40)(
        image, geometry
    )
    for sector, middle in enumerate((20.0, 135.0)):
        theirs = pyfai_bridge.integrator(geometry).integrate1d_ng(
            np.nan_to_num(image.intensity),
            40,
            unit="q_A^-1",
            radial_range=(low, high),
            azimuth_range=(middle - 15.5, middle + 15.5),
            mask=np.isnan(image.intensity),
            correctSolidAngle=False,
            method=("no", "histogram", "python"),
            error_model="poisson",
        )
        np.testing.assert_allclose(made.q, theirs.radial, rtol=1e-6)
        filled = made.pixels[sector] > 0
        np.testing.assert_array_equal(made.pixels[sector], theirs.count)
        np.testing.assert_allclose(made.intensity[sector][filled], theirs.intensity[filled], rtol=1e-6)
        np.testing.assert_allclose(made.intensity_errors[sector][filled], theirs.sigma[filled], rtol=1e-6)


def test_the_default_range_is_the_detectors_with_bins_of_a_pixel():
    made = RadialSectors(nb_azim=1, width=360.0)(make_image(counts()), GEOMETRY)
    pixel = 2 * np.pi / GEOMETRY.wavelength * GEOMETRY.pixel_size_x / GEOMETRY.distance
    assert np.diff(made.q) == pytest.approx(pixel, rel=0.02)
    assert made.auto == pytest.approx({"q_min": 0.0, "q_max": qspace.q_range(GEOMETRY)[1], "bins": len(made.q)})
    first, last = np.flatnonzero(made.pixels[0])[[0, -1]]
    assert np.all(made.pixels[0, first : last + 1] > 0)


def test_a_range_of_q_is_kept():
    made = RadialSectors(q_min=0.005, q_max=0.015, bins=7)(make_image(counts()), GEOMETRY)
    assert made.q[0] == pytest.approx(0.005 + 0.01 / 14)
    assert made.q[-1] == pytest.approx(0.015 - 0.01 / 14)
    assert made.auto == {}


def test_filled_pixels_count_in_the_mean_and_not_in_the_error():
    image = Caving()(make_image(counts(), holes()), GEOMETRY)
    made = RadialSectors(nb_azim=1, width=60.0, bins=10)(image, GEOMETRY)
    assert np.all(made.measured[0, :9] < made.pixels[0, :9])
    where = qspace.pixels(GEOMETRY)
    high = made.q[0] + (made.q[1] - made.q[0]) / 2
    inside = (np.abs(where.chi) <= 30) & (where.q < high) & np.isfinite(image.intensity)
    plain = image.intensity[inside & (image.flags == 0)]
    assert made.intensity[0, 0] == pytest.approx(image.intensity[inside].mean())
    assert made.intensity_errors[0, 0] == pytest.approx(np.sqrt(plain.sum()) / plain.size)


def test_frames_one_by_one_average_to_the_mean():
    image = make_image(counts(4), holes())
    step = RadialSectors(bins=15, width=60.0)
    each = replace(step, frames="each")(image, GEOMETRY, Exposure(elapsed=np.array([0.0, 1.0, 2.0, 3.0])))
    assert each.intensity.shape == (4, 2, 15)
    assert each.elapsed.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(each.intensity.mean(axis=0), step(image, GEOMETRY).intensity)
    assert np.isnan(replace(step, frames="each")(image, GEOMETRY).elapsed).all()
    with pytest.raises(StepError, match="1 start times for 4 frames"):
        replace(step, frames="each")(image, GEOMETRY, Exposure(elapsed=np.array([0.0])))
    with pytest.raises(StepError, match="raw frames"):
        replace(step, frames="each")(replace(image, stage=None), GEOMETRY)


def test_a_binned_image_lies_at_the_same_q():
    radius = np.round(500 * qspace.q_map(GEOMETRY)).astype(int)
    image = make_image(radius[np.newaxis])
    step = RadialSectors(nb_azim=1, width=360.0, bins=20, q_min=0.002, q_max=0.018)
    fine, coarse = step(image, GEOMETRY), step(Binning(factor=2)(image), GEOMETRY)
    np.testing.assert_allclose(coarse.intensity, fine.intensity, atol=0.3)


def test_an_empty_sector_is_told():
    image = make_image(counts(), np.abs(qspace.chi_map(GEOMETRY)) < 20)
    made = RadialSectors(nb_azim=2)(image, GEOMETRY)
    assert np.isnan(made.intensity[0]).all()
    assert made.pixels[0].sum() == 0
    assert made.notes == ("no valid pixel in the sectors at chi = 0 degrees",)


def test_the_curves_are_labelled():
    (plot,) = RadialSectors(nb_azim=3, delta=45.0)(make_image(counts()), GEOMETRY).plots()
    assert (plot.signal, plot.axes, plot.auxiliary) == ("sector_1", ("q",), ("sector_2", "sector_3"))
    assert plot.values["sector_2"][2] == "chi = 45 ± 5 degrees"


@pytest.mark.parametrize(("low", "high"), [(1.0, 2.0), (0.03, None)])
def test_q_beyond_the_detector_is_refused(low, high):
    with pytest.raises(StepError, match="outside the detector"):
        RadialSectors(q_min=low, q_max=high)(make_image(counts()), GEOMETRY)


@pytest.mark.parametrize("parameters", [{"q_min": 0.2, "q_max": 0.1}, {"width": 0.0}, {"width": 361.0}, {"nb_azim": 0}])
def test_parameters_that_cannot_be_are_refused_where_they_are_set(parameters):
    with pytest.raises(ParameterError, match="radial_sectors"):
        RadialSectors(**parameters)
