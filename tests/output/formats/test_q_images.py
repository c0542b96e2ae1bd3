"""Which images are exported, and where their pixels lie in q space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nxscatter.output.formats.q_images import last_images, placed_images, q_image
from nxscatter.results import Geometry, Image, PixelFlag
from nxscatter.store.container import Container
from nxscatter.workflow import runner
from support import toy

GEOMETRY = Geometry(
    wavelength=1.0,
    distance=2.0,
    pixel_size_y=1e-4,
    pixel_size_x=2e-4,
    center_y=3.2,
    center_x=5.7,
    rows=8,
    columns=11,
)


def image(geometry: Geometry) -> Image:
    """Every pixel a number of its own, one masked and one filled."""
    counts = 1.0 + np.arange(geometry.rows * geometry.columns, dtype=float).reshape(geometry.shape)
    flags = np.zeros(geometry.shape, dtype=np.uint16)
    counts[2, 3], flags[2, 3] = np.nan, int(PixelFlag.MASKED)
    flags[4, 5] = int(PixelFlag.FILLED)
    return Image(intensity=counts, flags=flags, frames=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_q_grows_along_rows_and_from_row_to_row_in_every_orientation(orientation: int) -> None:
    geometry = replace(GEOMETRY, orientation=orientation)
    found = q_image(image(geometry), geometry)
    assert (np.diff(found.qx, axis=1) > 0).all()
    assert (np.diff(found.qz, axis=0) > 0).all()
    assert found.intensity.shape == found.qx.shape == found.errors.shape


@pytest.mark.parametrize("orientation", [1, 4, 7])
def test_each_pixel_keeps_its_q(orientation: int) -> None:
    """Close to the beam q is the pixel's distance from it, times 2 pi over wavelength and detector distance."""
    geometry = replace(GEOMETRY, orientation=orientation, distance=50.0)
    found = q_image(image(geometry), geometry)
    row, column = np.divmod(found.intensity - 1, geometry.columns)
    scale = 2 * np.pi / geometry.wavelength / geometry.distance
    x = (column + 0.5 - geometry.center_x) * geometry.pixel_size_x * scale
    y = (row + 0.5 - geometry.center_y) * geometry.pixel_size_y * scale
    known = np.isfinite(found.intensity)
    expected = {1: (x, y), 4: (-x, -y), 7: (y, -x)}[orientation]
    np.testing.assert_allclose(found.qx[known], expected[0][known], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.qz[known], expected[1][known], rtol=1e-6, atol=1e-12)


def test_errors_are_those_of_measured_pixels() -> None:
    found = q_image(image(GEOMETRY), GEOMETRY)
    expected = np.sqrt(image(GEOMETRY).intensity / 4)  # the mean of four frames of counts
    expected[4, 5] = np.nan
    many = image(GEOMETRY).intensity * 4 > 25  # of fewer counts the neighbours tell, in test_few_counts
    np.testing.assert_array_equal(found.errors[many], expected[many])
    assert (found.errors[~many & np.isfinite(expected)] > 0).all()
    assert np.isnan(found.errors[4, 5])
    assert np.isfinite(found.intensity[4, 5])


def test_the_image_that_no_other_was_made_from_is_exported(box: Container) -> None:
    assert [record.name for record in last_images(box.records)] == ["toy_caving_v1"]
    masking = box.record("toy_masking_v1")
    assert last_images([masking]) == [masking]


def test_an_image_is_placed_by_the_geometry_of_its_container(box: Container) -> None:
    ((record, found, geometry),) = placed_images(box, box.records)
    assert (record.name, found.intensity.shape, geometry.shape) == ("toy_caving_v1", (24, 30), (24, 30))


def test_without_a_geometry_an_image_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    box = toy.make(tmp_path / "x.nxs", records=False)
    runner.run(box, toy.ToyMasking())
    assert list(placed_images(box, box.records)) == []
    assert "toy_masking_v1 has no map in q space without a geometry record" in caplog.text
