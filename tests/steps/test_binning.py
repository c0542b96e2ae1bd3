"""Binning of the image axes."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.results import PixelFlag
from nxscatter.science.geometry import qspace
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from support.scattering import make_geometry, make_image


def frames(number: int = 1, rows: int = 9, columns: int = 11) -> np.ndarray:
    return np.random.default_rng(5).poisson(6, (number, rows, columns)).astype(np.uint32)


def test_binned_values_are_block_means_of_the_cropped_image():
    stack = frames()
    image = Binning(factor=3)(make_image(stack))
    assert image.intensity.shape == (3, 3)
    assert image.binning == 3
    assert image.intensity[1, 2] == pytest.approx(stack[0, 3:6, 6:9].mean())
    assert image.variance[1, 2] == pytest.approx(stack[0, 3:6, 6:9].sum() / 81)
    assert not image.flags.any()


def test_a_block_is_invalid_only_without_a_valid_pixel():
    stack = frames()
    invalid = np.zeros((9, 11), dtype=bool)
    invalid[0:2, 0:2] = True
    invalid[0, 2] = True
    image = Binning(factor=2)(make_image(stack, invalid))
    assert np.argwhere(image.flags).tolist() == [[0, 0]]
    assert image.flags[0, 0] == PixelFlag.MASKED
    assert np.isnan(image.intensity[0, 0])
    three = stack[0, 0:2, 2:4][~invalid[0:2, 2:4]]
    assert image.intensity[0, 1] == pytest.approx(three.mean())
    assert image.variance[0, 1] == pytest.approx(three.sum() / 9)
    assert image.gain[0, 1] == pytest.approx(1 / 3)


def test_frames_count_as_photons_and_are_never_binned():
    stack = frames(4)
    image = Binning(factor=2)(make_image(stack))
    assert image.frames == 4
    assert image.variance[1, 1] == pytest.approx(stack[:, 2:4, 2:4].sum() / 16**2)
    assert image.gain[1, 1] == pytest.approx(1 / 16)
    values, variances = image.stage.gather(np.array([6]))(stack[2], 2)
    assert values == pytest.approx(stack[2, 2:4, 2:4].mean())
    assert variances == pytest.approx(stack[2, 2:4, 2:4].sum() / 16)


def test_binning_twice_is_binning_once():
    stack = frames(rows=16, columns=18)
    twice = Binning(factor=2)(Binning(factor=2)(make_image(stack)))
    once = Binning(factor=4)(make_image(stack))
    assert twice.binning == once.binning == 4
    np.testing.assert_allclose(twice.intensity, once.intensity)
    np.testing.assert_allclose(twice.variance, once.variance)
    np.testing.assert_allclose(twice.gain, once.gain)


def test_geometry_follows():
    geometry = make_geometry(9, 11)
    across = np.broadcast_to(qspace.pixels(geometry).qx, geometry.shape)
    image = Binning(factor=2)(make_image(across[np.newaxis]))
    binned = qspace.pixels(geometry.binned(image.binning)).qx
    np.testing.assert_allclose(image.intensity, np.broadcast_to(binned, image.intensity.shape), rtol=1e-6, atol=1e-12)


def test_blocks_of_filled_pixels_are_filled():
    geometry = make_geometry(8, 8, center_y=4.0, center_x=4.0)
    invalid = np.zeros((8, 8), dtype=bool)
    invalid[0:2, 0:2] = True
    invalid[0, 2] = True
    stack = frames(rows=8, columns=8)
    image = Binning(factor=2)(Caving()(make_image(stack, invalid), geometry))
    assert image.flags[0, 0] == PixelFlag.FILLED
    assert image.intensity[0, 0] == pytest.approx(stack[0, 6:8, 6:8].mean())
    assert np.isnan(image.variance[0, 0])
    assert image.flags[0, 1] == 0
    measured = stack[0, 0:2, 2:4][~invalid[0:2, 2:4]]
    assert image.variance[0, 1] == pytest.approx(measured.sum() / 9)
    assert image.intensity[0, 1] == pytest.approx((measured.sum() + stack[0, 7, 5]) / 4)


def test_factor_one_changes_nothing():
    image = make_image(frames())
    assert Binning(factor=1)(image) is image


def test_impossible_factors_are_refused():
    with pytest.raises(ParameterError, match=r"binning\.factor = 0"):
        Binning(factor=0)
    with pytest.raises(StepError, match=r"binning\.factor = 10: an image of \(9, 11\)"):
        Binning(factor=10)(make_image(frames()))
