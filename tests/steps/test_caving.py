"""Caving: point symmetry about the direct beam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nxscatter.results import PixelFlag
from nxscatter.science.geometry import qspace
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from support.scattering import make_geometry, make_image

ROWS, COLUMNS = 8, 9
CENTERS = st.floats(-3, 12)
MASKS = arrays.arrays(bool, (ROWS, COLUMNS))


def image_with_holes(invalid: np.ndarray):
    values = np.random.default_rng(7).integers(1, 1000, (1, ROWS, COLUMNS)).astype(np.uint32)
    return make_image(values, invalid)


def geometry(center_y: float, center_x: float, **changes: float):
    return make_geometry(ROWS, COLUMNS, center_y=center_y, center_x=center_x, **changes)


@pytest.mark.parametrize(
    ("center", "total"),
    [(4.0, 7), (4.5, 8), (4.24, 7), (4.26, 8), (4.74, 8), (4.76, 9), (0.5, 0), (0.2, -1)],
)
def test_partners_rows_add_up_to_the_nearest_constant(center, total):
    for row in range(ROWS):
        invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
        invalid[row, 4] = True
        image = image_with_holes(invalid)
        caved = Caving()(image, geometry(center, 4.5))
        other = total - row
        if 0 <= other < ROWS and other != row:
            assert caved.intensity[row, 4] == image.intensity[other, 4]
            assert caved.flags[row, 4] == PixelFlag.FILLED
        else:
            assert np.isnan(caved.intensity[row, 4])
            assert caved.flags[row, 4] == PixelFlag.MASKED


@settings(deadline=None)
@given(invalid=MASKS, center_y=CENTERS, center_x=CENTERS)
def test_one_pass_fills_all_that_can_be_filled_and_touches_nothing_else(invalid, center_y, center_x):
    image = image_with_holes(invalid)
    where = geometry(center_y, center_x)
    caved = Caving()(image, where)
    np.testing.assert_array_equal(caved.intensity[~invalid], image.intensity[~invalid])
    np.testing.assert_array_equal(caved.flags[~invalid], image.flags[~invalid])
    filled = caved.flags == int(PixelFlag.FILLED)
    np.testing.assert_array_equal(filled, invalid & np.isfinite(caved.intensity))
    again = Caving()(caved, where)
    np.testing.assert_array_equal(again.intensity, caved.intensity)
    np.testing.assert_array_equal(again.flags, caved.flags)
    assert np.isnan(caved.variance_at(np.flatnonzero(filled))).all()
    for pixel in np.argwhere(np.isnan(caved.intensity)):
        other = np.floor(2 * np.array([center_y, center_x]) - 0.5) - pixel
        inside = np.all((other >= 0) & (other < [ROWS, COLUMNS]))
        assert not inside or invalid[tuple(other.astype(int))]


@settings(deadline=None)
@given(invalid=MASKS, center_y=CENTERS, center_x=CENTERS)
def test_the_chain_fills_a_frame_as_the_step_fills_the_mean(invalid, center_y, center_x):
    image = image_with_holes(invalid)
    caved = Caving()(image, geometry(center_y, center_x))
    frame = next(iter(image.stage.raw))
    values, variances = caved.stage.gather(np.arange(ROWS * COLUMNS))(frame, 0)
    np.testing.assert_array_equal(values.reshape(ROWS, COLUMNS), caved.intensity)
    np.testing.assert_array_equal(variances, caved.variance_at(slice(None)))


@settings(deadline=None)
@given(invalid=MASKS)
def test_a_rotated_image_is_filled_alike(invalid):
    where = geometry(4.3, 3.9)
    caved = Caving()(image_with_holes(invalid), where)
    turned = replace(image_with_holes(invalid), stage=None)
    turned = replace(turned, intensity=turned.intensity.T, flags=turned.flags.T)
    transposed = replace(where, rows=COLUMNS, columns=ROWS, center_y=3.9, center_x=4.3)
    np.testing.assert_array_equal(Caving()(turned, transposed).intensity.T, caved.intensity)


def test_a_binned_image_is_filled_about_its_own_centre():
    invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
    invalid[0:2, 0:2] = True
    image = Binning(factor=2)(image_with_holes(invalid))
    caved = Caving()(image, geometry(4.0, 4.0))
    assert caved.intensity[0, 0] == image.intensity[3, 3]
    assert np.isnan(caved.variance[0, 0])


def test_small_tilts_use_the_direct_beam():
    invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
    invalid[2, 4] = True
    image = image_with_holes(invalid)
    where = geometry(4.0, 4.5, rot2=0.003)
    beam, _ = qspace.direct_beam(where)
    assert beam == pytest.approx(4.0 + 2.0 * np.tan(np.radians(0.003)) / 1e-4)  # a pixel beside the normal
    assert Caving()(image, where).intensity[2, 4] == image.intensity[7, 4]


def test_more_than_a_degree_of_tilt_leaves_the_image_as_it_is_and_says_so():
    invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
    invalid[2, 4] = True
    image = image_with_holes(invalid)
    caved = Caving()(image, geometry(4.0, 4.5, rot1=1.0, rot2=1.0))
    np.testing.assert_array_equal(caved.intensity, image.intensity)
    np.testing.assert_array_equal(caved.flags, image.flags)
    assert "tilted by 1.41 degrees" in caved.notes[-1]
