"""Exported files as SasView's own loader sees them, beside what the container holds."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nxscatter.output.formats.q_images import QImage, q_image
from nxscatter.results import Geometry, Image
from nxscatter.store.container import Container


def loaded(path: Path) -> Any:
    """Load the only data set of a file, which must raise no error and no complaint."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sasdata.dataloader.loader import Loader
    (data,) = Loader().load(str(path))
    assert data.errors == []
    return data


def stored_image(box: Container) -> QImage:
    """The filled image of a container."""
    image, geometry = box.latest("caving").load(), box.latest("geometry").load()
    assert isinstance(image, Image)
    assert isinstance(geometry, Geometry)
    return q_image(image, geometry)


def measured(image: QImage) -> np.ndarray:
    """Pixels with a value and an error: all that SasView keeps."""
    found = np.isfinite(image.intensity) & np.isfinite(image.errors)
    assert np.count_nonzero(np.isfinite(image.intensity) & ~found) > 0, "no pixel was filled"
    assert np.count_nonzero(~np.isfinite(image.intensity)) > 0, "no pixel is masked"
    return np.asarray(found)
