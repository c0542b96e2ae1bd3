"""`Mapping`: one measurement, as people's scripts know it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.mapping import requests as steps
from nxscatter.mapping.measurement import BESIDE, Numbers, Place, Reflections
from nxscatter.mapping.pictures import Pictures
from nxscatter.mapping.tables import fit_dictionary, fit_rows, fit_text
from nxscatter.model import Attachment, Floats, Ints
from nxscatter.results import PixelProfiles, Profiles
from nxscatter.workflow.paths import PathLike
from nxscatter.workflow.recipe import Use

if TYPE_CHECKING:
    from nxscatter.store.record import Record

_CURVES_SIZE = (6.4, 4.4)  # inches


class Mapping(Pictures):
    """One measurement: its maps in q space, azimuthal and radial profiles, fits and order parameters.

    Results are records of a container, ``<stem>.nxs`` beside the input; files are made from these records by the
    exporters and lie beside the container.

    Parameters
    ----------
    file : str or Path
        Raw file (.h5 or .edf), or a container.
    cif_file : str or Path, optional
        Crystal structure, for ``reflections``.
    instrument : str
        ``"ID02"`` or ``"LGC"``: the reader of the file. The names of the other readers work too.
    reflections : array (n, 3), optional
        Miller indices of rings.
    qvalues : array (n,), optional
        Rings in 1/angstrom.
    threshold : float
        Half-width of a ring relative to its q. One that the pixels do not resolve, as the default does not, gives
        way to the steps' own default of 0.02, or up to 0.1 where that is needed to fill the bins: 1e-4 would leave
        tens of pixels of a whole ring. A warning says so.
    binning : int
        Pixels along one side of a block that is averaged.
    mask : str or Path, optional
        Mask file; non-zero means that a pixel is ignored. Masks that belong to the file are used as well.
    skipcalib : bool
        Accept a file without calibration: for its image alone.
    mapping : bool
        Accepted; maps of q and angles are computed when they are first looked at.
    container : path or None, keyword only
        Another place of the container: a file ending in .nxs or a folder. None: nobody sees it, in a temporary
        folder that is removed with the object.

    Raises
    ------
    NxscatterError
        In one line: what is wrong with the file or an argument.
    """

    def __init__(
        self,
        file: PathLike | None = None,
        cif_file: PathLike | None = None,
        instrument: str = "ID02",
        reflections: Reflections | None = None,
        qvalues: Numbers | None = None,
        threshold: float = 0.0001,
        binning: int = 2,
        mask: PathLike | Attachment | None = None,
        skipcalib: bool = False,
        mapping: bool = False,
        *,
        container: PathLike | Place | None = BESIDE,
    ) -> None:
        if file is None:
            raise ParameterError("Mapping needs a file: give file='path/to/data.h5'")
        super().__init__(
            file, cif_file, instrument, reflections, qvalues, threshold, binning, mask, skipcalib, container
        )
        self.mapping = mapping

    def __repr__(self) -> str:
        """Name the file and what is in its container."""
        return f"<Mapping {self.file.name} in {self.container!r}>"

    def d_hkl(self, reflection: Any) -> float:
        """Return the lattice spacing of a reflection, angstrom; any crystal system."""
        from nxscatter.science.geometry.crystal import d_hkl

        cell = self._known_crystal().cell
        return d_hkl(cell, steps.miller(reflection, cell))

    def theta_hkl(self, reflection: Any) -> float:
        """Return the Bragg angle of a reflection, radians."""
        from nxscatter.science.geometry.crystal import theta_hkl

        cell = self._known_crystal().cell
        return theta_hkl(cell, steps.miller(reflection, cell), self.container.beam.wavelength)

    def q_hkl(self, reflection: Any) -> float:
        """Return q of a reflection, 1/m."""
        from nxscatter.science.geometry.crystal import q_hkl

        cell = self._known_crystal().cell
        return q_hkl(cell, steps.miller(reflection, cell)) * 1e10

    def caving(self, max_iter: int = 10) -> None:
        """Fill invalid pixels from their partners across the beam; ``data`` and all that follows see them filled.

        One pass fills all that can be filled, so ``max_iter`` changes nothing.
        """
        self._caved = True
        self._image_record()

    def pixelindexes_constantq(self, reflection: Any = None, qvalue: float | None = None) -> Ints:
        """Return the (row, column) of the valid pixels of a ring, in the order of `compute_datavsbeta`: (n, 2)."""
        pixels, valid = self._pixels(reflection, qvalue)
        return np.column_stack([pixels.row[valid], pixels.column[valid]])

    def compute_datavsbeta(self, reflection: Any = None, qvalue: float | None = None) -> tuple[Floats, Floats]:
        """Return beta (degrees, ascending) and intensity of each valid pixel of a ring: (n,) and (n,)."""
        pixels, valid = self._pixels(reflection, qvalue)
        return pixels.pixel_angle[valid], pixels.intensity[valid]

    def _pixels(self, reflection: Any, qvalue: float | None) -> tuple[PixelProfiles, Any]:
        ring = self._ring(reflection, qvalue)
        (record,) = self._run(steps.pixels(ring, self._tolerance([ring])))
        pixels = record.load_as(PixelProfiles)
        return pixels, np.isfinite(pixels.intensity)

    def pyFAI_extract_azimprofiles(self, qvalue: float) -> tuple[Floats, Floats]:  # noqa: N802
        """Return chi (degrees) and mean intensity on a ring, summed up by pyFAI: (360,) and (360,).

        Invalid pixels are left out; a bin without any other is NaN.
        """
        ring = self._ring(qvalue=qvalue)
        (record,) = self._run(steps.profiles([ring], self._tolerance([ring]), "pyFAI", name="pyFAI_azimprofiles"))
        profiles = record.load_as(Profiles)
        return profiles.bins, profiles.intensity[0]

    def azim_profile_fit(
        self,
        beta_target: float | None = None,
        plotflag: bool = False,
        printResults: bool = False,
        method: str | None = None,
        prefix: str = "WAXS",
        kinetic: bool = False,
        time: float = 0,
    ) -> dict[str, list[float]]:
        """Fit a pseudo-Voigt to the azimuthal profile of each ring.

        Profiles are against chi, on which a tilted director leaves one peak where beta would show two.

        Parameters
        ----------
        beta_target : float, optional
            Where the peak is expected, within 45 degrees.
        plotflag : bool
            Write ``Azim_Profile_Fittings/*.png`` and show the last one.
        printResults : bool
            Print the parameters with their standard errors.
        method : {None, "pyFAI"}
            Who sums up the pixels.
        prefix : str
            Accepted; no file of a single measurement's fit begins with it.
        kinetic, time : bool, float
            Name the files by the time (s) in place of the field.

        Returns
        -------
        dict
            ``str(reflection)`` or ``str(q)`` to [y0, I, x0, x0_S, gamma, eta, slope, S, R2]: counts, degrees. NaN
            where a ring is isotropic or a fit failed; the log says why. S does not depend on x0.
        """
        return self._fit("pseudo_voigt", beta_target, plotflag, printResults, method, time if kinetic else None)

    def azim_profile_fit_MS(  # noqa: N802
        self,
        beta_target: float | None = None,
        plotflag: bool = False,
        printResults: bool = False,
        method: str | None = None,
        prefix: str = "WAXS",
        kinetic: bool = False,
        time: float = 0,
    ) -> dict[str, list[float]]:
        """Fit a Maier-Saupe distribution to the azimuthal profile of each ring; arguments as `azim_profile_fit`.

        Returns
        -------
        dict
            ``str(reflection)`` or ``str(q)`` to [I, x0, x0_S, kappa, a, b, S, R2], I being the factor of the
            normalised distribution. The slope a is fixed at 0, because a full circle has none.
        """
        return self._fit("maier_saupe", beta_target, plotflag, printResults, method, time if kinetic else None)

    def _fit(
        self,
        model: str,
        beta_target: float | None,
        plotflag: bool,
        printed: bool,
        method: str | None,
        time: float | None,
    ) -> dict[str, list[float]]:
        rows, fits = self._fitted(model, beta_target, method, "mean", self._view(f"fit_{model}", time))
        if printed:
            sys.stdout.write(fit_text(rows, model))
        if plotflag:
            self._draw_fits(fits)
        return fit_dictionary(rows, model)

    def _view(self, of: str, time: float | None) -> dict[str, Any] | None:
        """Return how the record called ``of`` is to be shown, None when it is shown so already."""
        from nxscatter.output.views import view_of

        now = view_of(self.container, of).parameters
        return None if now["time"] == time else {**now, "time": time}

    def _fitted(
        self, model: str, beta_target: float | None, method: str | None, frames: str, view: dict[str, Any] | None
    ) -> tuple[list[dict[str, Any]], Record]:
        """Fit all rings, of the mean or of each frame; return one row a fit, and the record of them."""
        rings = self._rings()
        fit, order = steps.fit(model, beta_target)
        views = () if view is None else (steps.view(fit.name, **view),)
        _, fits, orders, *_ = self._run(
            steps.profiles(rings, self._tolerance(rings), method, frames), fit, order, *views
        )
        return fit_rows(self.file.name, rings, fits, orders), fits

    def _draw_fits(self, fits: Record) -> None:
        from nxscatter.output.figures import figures
        from nxscatter.output.figures.canvas import on_screen

        figures.export(self.container, self.folder, [fits])
        for path, arguments in figures.drawn_fits(self.container, fits):
            on_screen(path.stem, figures.FIT_SIZE, figures.draw_fit, *arguments)

    def plot_azim_profiles(self, prefix: str = "WAXS", method: str | None = None) -> None:
        """Show the azimuthal profiles of all rings; ``method`` as in `azim_profile_fit`."""
        from nxscatter.output.figures.canvas import on_screen, title_of
        from nxscatter.output.figures.comparisons import Member, draw_azimuthal

        profiles = self._profiles(method)[0].load_as(Profiles)
        members = [Member(self.B, profiles, frame) for frame in range(len(profiles.stack))]
        on_screen("azimuthal profiles", _CURVES_SIZE, draw_azimuthal, members, False, title_of(self.container))

    def _profiles(self, method: str | None, frames: str = "mean", **view: Any) -> list[Record]:
        rings = self._rings()
        uses = [steps.profiles(rings, self._tolerance(rings), method, frames)]
        if view:
            uses.append(steps.view(uses[0].name, **view))
        return self._run(*uses)

    def save_radialprofiles(
        self,
        nb_azim: int = 2,
        offset: float = 0,
        delta: float = 90,
        width: float = 10,
        prefix: str = "SAXS",
        plot: bool = True,
        kinetic: bool = False,
    ) -> None:
        """Write I(q) in sectors of azimuth as ``Radial_Profiles_<prefix>/*.csv``, and with ``plot`` their figure.

        Parameters
        ----------
        nb_azim : int
            Number of sectors.
        offset, delta : float
            Azimuth of the first one's middle, from the horizontal, and the step to the next, degrees.
        width : float
            Full angular width of a sector, degrees.
        prefix : str
            Ending of the folder's name.
        plot : bool
            Draw them as well.
        kinetic : bool
            Name the files by the time since the first measurement, which of a single one is 0.
        """
        self._sectors(nb_azim, offset, delta, width, plot, prefix, 0.0 if kinetic else None)

    def _sectors(
        self, nb_azim: int, offset: float, delta: float, width: float, plot: bool, prefix: str, time: float | None
    ) -> None:
        from nxscatter.output.figures import figures
        from nxscatter.output.formats import csv

        parameters = {"nb_azim": nb_azim, "offset": offset, "delta": delta, "width": width}
        sectors, _ = self._run(
            Use("radial_sectors", "radial_sectors", parameters=parameters),
            steps.view("radial_sectors", prefix=prefix, time=time),
        )
        csv.export(self.container, self.folder, [sectors])
        if plot:
            figures.export(self.container, self.folder, [sectors])
