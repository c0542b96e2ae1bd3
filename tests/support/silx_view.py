"""silx_view.py FILE [PATH...]: open a file in silx view without a screen and tell what is drawn, as JSON.

The file itself comes first: what somebody sees who only opens it. Each further line of the list is what is drawn when
a path in it is clicked. NaN cannot be drawn, and is not counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from silx.app.view.Viewer import Viewer
from silx.gui import qt
from silx.gui.data.DataViewer import DataViewer
from silx.gui.hdf5 import Hdf5TreeView
from silx.gui.plot import PlotWidget

PATIENCE = 20.0  # seconds


def main(file: str, paths: list[str]) -> list[dict[str, Any]]:
    app = qt.QApplication([])
    settings = qt.QSettings(qt.QSettings.IniFormat, qt.QSettings.UserScope, "nxscatter", "tests", None)
    settings.clear()  # a viewer remembers the columns and colours of the one before

    def wait(until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, "silx view draws nothing"
            app.processEvents()
            time.sleep(0.005)

    window = Viewer(settings=settings)
    window.appendFile(file)
    window.show()
    (viewer,) = window.findChildren(DataViewer)
    model = window.findChildren(Hdf5TreeView)[0].findHdf5TreeModel()
    wait(lambda: viewer.data() is not None)
    told = []
    for path in ("", *paths):
        if path:
            root = model.data(model.index(0, 0, qt.QModelIndex()), model.H5PY_OBJECT_ROLE)
            window.displayData(root[path])
        wait(lambda: any(drawn(plot) for plot in plots(viewer)))
        told += [drawn(plot) for plot in plots(viewer) if drawn(plot)]
    window.close()
    app.processEvents()
    return told


def plots(viewer: DataViewer) -> list[PlotWidget]:
    return [plot for plot in viewer.findChildren(PlotWidget) if plot.isVisible()]


def drawn(plot: PlotWidget) -> dict[str, Any]:
    curves = {
        curve.getName(): {
            "points": finite(curve.getYData(copy=False)),
            "errors": finite(curve.getYErrorData(copy=False)),
        }
        for curve in plot.getAllCurves()
    }
    images = {image.getName(): list(image.getData(copy=False).shape) for image in plot.getAllImages()}
    if not curves and not images:
        return {}
    return {"title": plot.getGraphTitle(), "x": plot.getXAxis().getLabel(), "curves": curves, "images": images}


def finite(values: Any) -> int:
    return 0 if values is None else int(np.isfinite(values).sum())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2:])) + "\n")
