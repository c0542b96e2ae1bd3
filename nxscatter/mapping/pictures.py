"""The figures of a measurement, and its image as files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.mapping.attributes import Attributes
from nxscatter.workflow.paths import PathLike
from nxscatter.workflow.recipe import Use

if TYPE_CHECKING:
    from nxscatter.store.record import Record

_PAIR_SIZE, _FOUR_SIZE = (12.0, 5.2), (10.0, 8.0)


class Pictures(Attributes):
    """The methods of `Mapping` that draw maps.

    Figures are shown where there is a screen or a notebook, and nothing waits for them to be closed.
    """

    def plot2D(  # noqa: N802
        self, qcircle: float = 0.068, plotqcircle: bool = False, vmin: float = 1, vmax: float = 5
    ) -> None:
        """Show the image pixel by pixel and in q space, from 10**vmin to 10**vmax counts.

        ``plotqcircle`` marks the circle of q = ``qcircle`` (1/angstrom).
        """
        from nxscatter.output.figures.canvas import on_screen, title_of
        from nxscatter.output.figures.map_views import draw_both
        from nxscatter.steps.views import MapView

        view = MapView(low=vmin, high=vmax, circles=(qcircle,) if plotqcircle else ())
        on_screen("plot2D", _PAIR_SIZE, draw_both, self._image, self._geometry, view, title_of(self.container))

    def plotcomponents(self) -> None:
        """Show the maps of q_parr, q_perp, beta and the modulus of q."""
        from nxscatter.output.figures.canvas import on_screen, title_of
        from nxscatter.output.figures.map_views import draw_components

        maps = {
            "q_parr (Å⁻¹)": self.q_parr * 1e-10,
            "q_perp (Å⁻¹)": self.q_perp * 1e-10,
            "β (degrees)": self.beta,
            "|q| (Å⁻¹)": self.norm_Q * 1e-10,
        }
        on_screen("plotcomponents", _FOUR_SIZE, draw_components, maps, title_of(self.container))

    def plot2d_vsq(
        self,
        prefix: str = "SAXS",
        qmin: float = 0,
        qmax: float = 0.1,
        vmin: float = -3,
        vmax: float = 0,
        qcircles: Any = None,
        show: bool = False,
        rotate: bool = False,
        cmap: str = "jet",
        time: float | None = None,
    ) -> str:
        """Write the map in q space as ``png_images/SAMPLE_BmT_ImgXXXXX.png``, and its numbers as an NPZ file.

        Parameters
        ----------
        prefix : str
            Beginning of the NPZ file's name.
        qmin, qmax : float
            q (1/angstrom) below which nothing is drawn, and where either axis ends.
        vmin, vmax : float
            Ends of the colour scale as powers of ten of the brightest intensities (percentile 99.9).
        qcircles : float or sequence of float, optional
            Circles to mark, 1/angstrom.
        show : bool
            Show the figure as well.
        rotate : bool
            Turn the map by 90 degrees, so that the horizontal points upwards.
        cmap : str
            Colour map of matplotlib; viridis and cividis are told apart by everybody, jet is not.
        time : float, optional
            Time (s) that stands in the file's name in place of the field.

        Returns
        -------
        str
            Path of the PNG file.
        """
        from nxscatter.output.figures.canvas import on_screen, title_of
        from nxscatter.output.figures.map_views import SIZE, draw_view, load_view
        from nxscatter.output.formats import npz

        parameters = {"low": vmin, "high": vmax, "relative": True, "q_min": qmin, "q_max": qmax}
        more = {"circles": _listed(qcircles), "colormap": cmap, "rotate": rotate, "prefix": prefix, "time": time}
        record, (path,) = self._write_map("map_view", self.folder, **parameters, **more)
        npz.export(self.container, self.folder, [self._image_record()])
        if show:
            view, image, geometry = load_view(record)
            on_screen("plot2d_vsq", SIZE, draw_view, image, geometry, view, title_of(self.container, view))
        return str(path)

    def plot_savedata(
        self, path: PathLike, vmin: float = 0, vmax: float = 5, prefix: str = "WAXS", qvalue: Any = None
    ) -> None:
        """Write the map in q space as ``<path>/<prefix>_SAMPLE_BmT_ImgXXXXX.png``, 10**vmin to 10**vmax counts.

        ``qvalue`` (one or several, 1/angstrom) marks circles.
        """
        parameters = {"low": vmin, "high": vmax, "circles": _listed(qvalue), "prefix": prefix}
        self._write_map("data_view", Path(path).expanduser(), kind="data", **parameters)

    def plot_savedata_zoom(
        self,
        prefix: str = "WAXS",
        vmin: float | None = None,
        vmax: float | None = None,
        qvalue: Any = None,
        zoom_factor: float = 4,
        kinetic: bool = False,
    ) -> None:
        """Write the middle of the map, one part in ``zoom_factor`` of either axis, as ``png_images/*_zoom.png``.

        The colours run from 10**vmin to 10**vmax counts, by default over what is drawn. With ``kinetic`` the file is
        named by the time since the first measurement, which of a single one is 0.
        """
        self._zoom(prefix, vmin, vmax, qvalue, zoom_factor, 0.0 if kinetic else None)

    def _zoom(
        self,
        prefix: str,
        vmin: float | None,
        vmax: float | None,
        qvalue: Any,
        zoom_factor: float,
        time: float | None,
    ) -> None:
        limits = {"low": vmin, "high": vmax, "zoom": zoom_factor, "circles": _listed(qvalue)}
        self._write_map("zoom_view", self.folder, kind="zoom", prefix=prefix, time=time, **limits)

    def _write_map(self, name: str, folder: Path, **parameters: Any) -> tuple[Record, list[Path]]:
        from nxscatter.output.figures.map_views import check_colormap, export_views

        check_colormap(parameters.get("colormap", "viridis"))
        (record,) = self._run(Use("map_view", name, parameters=parameters))
        return record, export_views(self.container, folder, [record])

    def export2sasview(self) -> None:
        """Write the image for SasView as ``<stem>.dat``: Qx, Qy (1/angstrom), intensity and error, NaN where masked."""
        from nxscatter.output.formats.q_images import q_image
        from nxscatter.output.formats.sasview import write_image

        write_image(self.folder / f"{self.file.stem}.dat", q_image(self._image, self._geometry))


def _listed(values: Any) -> tuple[float, ...]:
    return () if values is None else tuple(np.atleast_1d(np.asarray(values, dtype=float)).tolist())
