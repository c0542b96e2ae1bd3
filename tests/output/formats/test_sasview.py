"""Text files for SasView, read by its own loader: the numbers, units, errors and gaps of the container."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nxscatter.output.export import export
from nxscatter.output.formats.few_counts import curve_errors
from nxscatter.results import Rings, Sectors
from nxscatter.store.container import Container
from support.sasdata_case import loaded, measured, stored_image


@pytest.fixture(scope="module")
def exported(exportable_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    written = export(Container(exportable_file), tmp_path_factory.mktemp("sasview"), ["sasview"])
    return {path.name: path for path in written}


def test_one_file_an_image_and_one_a_curve(exported: dict[str, Path]) -> None:
    curves = ("full", "sector01", "sector02")
    assert set(exported) == {"rods_1000mT_Img00376.dat", *(f"rods_1000mT_{one}_Img00376.txt" for one in curves)}
    assert {path.parent.name for path in exported.values()} == {"SasView"}


def test_an_image_is_loaded_as_two_dimensional_data(exported: dict[str, Path], exportable_file: Path) -> None:
    data, image = loaded(exported["rods_1000mT_Img00376.dat"]), stored_image(Container(exportable_file))
    kept = measured(image)
    assert type(data).__name__ == "Data2D"
    assert (data.Q_unit, data.mask.all()) == ("A^{-1}", True)
    np.testing.assert_array_equal(data.data.astype(np.float32), image.intensity[kept])
    np.testing.assert_allclose(data.err_data, image.errors[kept], rtol=5.1e-9)
    np.testing.assert_allclose(data.qx_data, image.qx[kept], rtol=5.1e-9)
    np.testing.assert_allclose(data.qy_data, image.qz[kept], rtol=5.1e-9)
    np.testing.assert_allclose(data.x_bins[[0, -1]], image.qx[0, [0, -1]], rtol=5.1e-9)
    np.testing.assert_allclose(data.y_bins, image.qz[:, 0], rtol=5.1e-9)


def test_the_whole_raster_is_written_with_gaps_as_nan(exported: dict[str, Path], exportable_file: Path) -> None:
    head, statement, word, _, *lines = exported["rods_1000mT_Img00376.dat"].read_text().splitlines()
    assert [head, word] == ["Data columns are Qx - Qy - I(Qx,Qy) - err(I)", "ASCII data"]
    assert statement.startswith("errors where few or no counts are")
    image = stored_image(Container(exportable_file))
    intensity, errors = np.array([line.split()[2:] for line in lines], dtype=float).T
    np.testing.assert_array_equal(intensity.astype(np.float32), image.intensity.ravel())
    np.testing.assert_array_equal(np.isnan(errors), np.isnan(image.errors.ravel()))


def test_curves_are_loaded_with_their_errors(exported: dict[str, Path], exportable_file: Path) -> None:
    box = Container(exportable_file)
    rings, sectors = box.latest("rings").load(), box.latest("radial_sectors").load()
    assert isinstance(rings, Rings)
    assert isinstance(sectors, Sectors)
    stored = {
        "full": (rings.radial_q, rings.intensity, rings.intensity_errors),
        "sector01": (sectors.q, sectors.intensity[0], sectors.intensity_errors[0]),
        "sector02": (sectors.q, sectors.intensity[1], sectors.intensity_errors[1]),
    }
    for name, (q, intensity, errors) in stored.items():
        data = loaded(exported[f"rods_1000mT_{name}_Img00376.txt"])
        kept, errors = np.isfinite(intensity) & np.isfinite(errors), curve_errors(intensity, errors)
        assert type(data).__name__ == "Data1D"
        assert data.x_unit == "A^{-1}"
        assert np.count_nonzero(kept) > 5
        np.testing.assert_allclose(data.x, q[kept], rtol=3e-16)  # the loader multiplies by a factor of 1
        np.testing.assert_array_equal(data.y, intensity[kept])
        np.testing.assert_array_equal(data.dy, errors[kept])


def test_curves_say_what_they_are(exported: dict[str, Path]) -> None:
    lines = exported["rods_1000mT_sector02_Img00376.txt"].read_text().splitlines()
    assert lines[0] == "# chi = 90 ± 5 degrees, record radial_sectors_v1"
    assert lines[1].startswith("# errors where few or no counts are")
    assert lines[2] == "# Q (1/angstrom)  I (counts)  dI (counts)"
