"""`BatchAzimProfileExtraction`: many measurements, as people's scripts know them."""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscatter.errors import NxscatterError, StepError
from nxscatter.mapping.find_files import USUAL_FILTER, find_files
from nxscatter.mapping.measurement import BESIDE, Numbers, Place, Reflections, load_mask
from nxscatter.mapping.single import Mapping
from nxscatter.mapping.tables import data_frame
from nxscatter.model import Floats
from nxscatter.workflow.paths import PathLike

if TYPE_CHECKING:
    import pandas

    from nxscatter.output.selection import Selection

T = TypeVar("T")
_log = logging.getLogger("nxscatter")


class _Member(Mapping):
    """One file of a batch: converted with the first computation."""

    _waits = True


class BatchAzimProfileExtraction:
    """The measurements of a folder, one container each; what is done to one is done to all.

    A file that cannot be used does not stop the others: the log says why. Methods raise only when no file is left.

    Parameters
    ----------
    path : str or Path
        Folder of the files.
    file_filter : str
        Pattern of their names. When the default matches none, all files that the instrument's reader recognises are
        taken, and a warning says so. Masks and containers beside their raw file are left out.
    plotflag : bool
        Draw the fits of every file.
    cif, reflections, qvalues, instrument, threshold, binning, mask, skipcalib, mapping
        As for `Mapping`.
    container : path or None, keyword only
        Another folder for the containers, and for the files that are written. None: nobody sees the containers, in a
        temporary folder that is removed with the object.

    Attributes
    ----------
    files : list of Path
        The files, sorted by name.
    epoch : ndarray (file,)
        Time since the first measurement, s, after `build_timearray`; NaN when a file does not say.

    Raises
    ------
    ParameterError
        When no file matches.
    """

    def __init__(
        self,
        path: PathLike,
        cif: PathLike | None = None,
        reflections: Reflections | None = None,
        qvalues: Numbers | None = None,
        instrument: str = "ID02",
        file_filter: str = USUAL_FILTER,
        threshold: float = 0.0001,
        binning: int = 2,
        plotflag: bool = False,
        mask: PathLike | None = None,
        skipcalib: bool = False,
        mapping: bool = False,
        *,
        container: PathLike | Place | None = BESIDE,
    ) -> None:
        self.path = Path(path).expanduser()
        self.cif = cif
        self.reflections = reflections
        self.qvalues = qvalues
        self.instrument = instrument
        self.file_filter = file_filter
        self.threshold = threshold
        self.binning = binning
        self.plotflag = plotflag
        self.mask = mask
        self.skipcalib = skipcalib
        self.mapping = mapping
        self.files = find_files(self.path, file_filter, instrument, () if mask is None else (mask,))
        self.epoch: Floats = np.zeros(0)
        self._told: set[str] = set()
        self._mask = None if mask is None else load_mask(mask)
        self._place = container
        self.folder = self.path if container is None or isinstance(container, Place) else Path(container).expanduser()
        if container is None:
            self._place = tempfile.mkdtemp(prefix="nxscatter-")
            weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)

    def __repr__(self) -> str:
        """Name the folder and how many files there are."""
        return f"<BatchAzimProfileExtraction {self.path}: {len(self.files)} files>"

    def _for_each(self, work: Callable[[Mapping, float | None], T], in_time: bool = False) -> list[tuple[Mapping, T]]:
        """Do something to each measurement, given its time in the series or None; leave out what cannot be used."""
        if in_time:
            self.build_timearray()
        times = self.epoch.tolist() if in_time else [None] * len(self.files)
        done = []
        problems: list[NxscatterError] = []
        for file, time in zip(self.files, times, strict=True):
            try:
                data = self._open(file)
                done.append((data, work(data, time)))
            except NxscatterError as error:
                problems.append(error)
                _log.warning("left out: %s", error)
        if not done:
            raise StepError(f"{self.path}: none of {len(self.files)} files can be used; the first: {problems[0]}")
        return done

    def _open(self, file: Path) -> Mapping:
        data = _Member(
            file,
            self.cif,
            self.instrument,
            self.reflections,
            self.qvalues,
            self.threshold,
            self.binning,
            self._mask,
            self.skipcalib,
            self.mapping,
            container=self._place,
        )
        data.folder, data._told = self.folder, self._told
        return data

    def build_timearray(self) -> None:
        """Fill ``epoch`` with the time of each file since the first measurement, s."""
        starts = {data.file: start for data, start in self._for_each(lambda data, _: data.epoch)}
        self.epoch = _elapsed([starts.get(file, np.nan) for file in self.files])

    def extract_titles(self) -> list[str]:
        """Write ``Sample_list.txt``, one line a file: its name and the sample's; return the samples."""
        from nxscatter.output.files import write_file

        names = [(data.file.name, name) for data, name in self._for_each(lambda data, _: data.samplename)]
        write_file(self.folder / "Sample_list.txt", "".join(f"{file}\t{name}\n" for file, name in names).encode())
        return [name for _, name in names]

    def fit_azimprofiles(
        self,
        beta_target: float | None = None,
        plot: bool = True,
        r2_threshold: float = 0.85,
        prefix: str = "WAXS",
        method: str | None = None,
    ) -> pandas.DataFrame:
        """Fit a pseudo-Voigt to every ring of every file.

        Parameters
        ----------
        beta_target, method
            As for `Mapping.azim_profile_fit`.
        plot : bool
            Write ``<prefix>_Fitting_results.png``: position, width and S against the field.
        r2_threshold : float
            R2 from which on a fit is drawn there. The table has all.
        prefix : str
            Beginning of the files' names. The table goes into ``<prefix>_azim_profiles_refinements.csv``.

        Returns
        -------
        DataFrame
            One row a file and ring: filename, sample, B (mT), time (s), frame, reflection, qvalue, the fitted
            parameters, Order Parameter S, R_squared, standard errors, status. A sweep up and one down are different
            files and stay apart. NaN where a ring is isotropic or a fit failed, see status.
        """
        return self._fit("pseudo_voigt", beta_target, plot, r2_threshold, prefix, method)

    def fit_azimprofiles_MS(  # noqa: N802
        self,
        beta_target: float | None = None,
        plot: bool = True,
        r2_threshold: float = 0.85,
        prefix: str = "WAXS",
        method: str | None = None,
    ) -> pandas.DataFrame:
        """Fit a Maier-Saupe distribution to every ring of every file, as `fit_azimprofiles` does."""
        return self._fit("maier_saupe", beta_target, plot, r2_threshold, prefix, method)

    def fit_azimprofiles_vs_time(
        self,
        beta_target: float | None = None,
        plot: bool = True,
        r2_threshold: float = 0.85,
        prefix: str = "WAXS",
        method: str | None = None,
    ) -> pandas.DataFrame:
        """Fit as `fit_azimprofiles`, with one row a frame of a stack, drawn against the time since the first one."""
        return self._fit("pseudo_voigt", beta_target, plot, r2_threshold, prefix, method, in_time=True)

    def fit_azimprofiles_MS_vs_time(  # noqa: N802
        self,
        beta_target: float | None = None,
        plot: bool = True,
        r2_threshold: float = 0.85,
        prefix: str = "WAXS",
        method: str | None = None,
    ) -> pandas.DataFrame:
        """Fit as `fit_azimprofiles_MS`, with one row a frame of a stack, against the time since the first one."""
        return self._fit("maier_saupe", beta_target, plot, r2_threshold, prefix, method, in_time=True)

    def _fit(
        self,
        model: str,
        beta_target: float | None,
        plot: bool,
        r2_threshold: float,
        prefix: str,
        method: str | None,
        in_time: bool = False,
    ) -> pandas.DataFrame:
        from nxscatter.output.figures import figures
        from nxscatter.output.figures.canvas import has_screen, on_screen
        from nxscatter.output.formats import csv

        def work(data: Mapping, time: float | None) -> list[dict[str, Any]]:
            view = {"prefix": prefix, "time": time, "r2_threshold": r2_threshold}
            rows, fits = data._fitted(model, beta_target, method, _frames(data, in_time), view)
            if self.plotflag:
                figures.export(data.container, self.folder, [fits])
            known = {"filename": data.file.name, "sample": data.samplename, "B (mT)": data.B, "epoch": data.epoch}
            return [{**known, **row} for row in rows]

        done = self._for_each(work, in_time)
        table = [row for _, rows in done for row in rows]
        for row, elapsed in zip(table, _elapsed([row["epoch"] for row in table]).tolist(), strict=True):
            row["time (s)"] = elapsed if row["frame"] is None else elapsed + row["elapsed"]
        selections = _selections(done)
        csv.export_table(selections, self.folder)
        if plot:
            figures.export_results(selections, self.folder)
            if has_screen():
                for path, arguments in figures.drawn_results(selections):
                    on_screen(path.stem, figures.SUMMARY_SIZE, figures.draw_summary, *arguments)
        return data_frame(table, model)

    def plot_save_azim_profiles_vs_B(self, prefix: str = "WAXS", method: str | None = None) -> None:  # noqa: N802
        """Write the azimuthal profiles of all files as ``Azimuthal_Profiles/*.csv``, and one figure of all.

        The figure, ``Azimuthal_Profiles/<prefix>_azim_profiles.png``, has one panel a ring; colours go with the field.
        """
        self._azimuthal(prefix, method)

    def plot_save_azim_profiles_vs_time(self, prefix: str = "WAXS", method: str | None = None) -> None:
        """Write the same with one profile a frame of a stack, against the time since the first measurement."""
        self._azimuthal(prefix, method, in_time=True)

    def _azimuthal(self, prefix: str, method: str | None, in_time: bool = False) -> None:
        from nxscatter.output.formats import csv

        def work(data: Mapping, time: float | None) -> None:
            frames = _frames(data, in_time)
            profiles, _ = data._profiles(method, frames, prefix=prefix, time=time)
            csv.export(data.container, self.folder, [profiles])

        self._compare(self._for_each(work, in_time))

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
        """Write I(q) in sectors of every file, as `Mapping.save_radialprofiles`, and with ``plot`` one figure of all.

        With ``kinetic`` files are named by the time since the first measurement, in place of the field.
        """

        def work(data: Mapping, time: float | None) -> None:
            data._sectors(nb_azim, offset, delta, width, plot and self.plotflag, prefix, time)

        done = self._for_each(work, kinetic)
        if plot:
            self._compare(done)

    def _compare(self, done: Sequence[tuple[Mapping, Any]]) -> None:
        from nxscatter.output.figures.comparisons import export_comparisons

        export_comparisons(_selections(done), self.folder)

    def plot_savedata(
        self,
        prefix: str = "SAXS",
        vmin: float = -3,
        vmax: float = 0,
        qmin: float = 0,
        qmax: float = 0.15,
        qcircles: Any = None,
        cmap: str = "jet",
        kinetic: bool = False,
    ) -> None:
        """Write the map in q space of every file, as `Mapping.plot2d_vsq`."""

        def work(data: Mapping, time: float | None) -> None:
            data.plot2d_vsq(prefix, qmin, qmax, vmin, vmax, qcircles, cmap=cmap, time=time)

        self._for_each(work, kinetic)

    def plot_savedata_zoom(
        self,
        prefix: str = "WAXS",
        vmin: float | None = None,
        vmax: float | None = None,
        qvalue: Any = None,
        zoom_factor: float = 4,
        kinetic: bool = False,
    ) -> None:
        """Write the middle of the map of every file, as `Mapping.plot_savedata_zoom`."""

        def work(data: Mapping, time: float | None) -> None:
            data._zoom(prefix, vmin, vmax, qvalue, zoom_factor, time)

        self._for_each(work, kinetic)


def _frames(data: Mapping, in_time: bool) -> str:
    """Take each frame of a stack in a series against time, else their mean."""
    return "each" if in_time and data.container.shape[0] > 1 else "mean"


def _elapsed(starts: Sequence[float]) -> Floats:
    """Return times since the first of them; NaN stays NaN."""
    times = np.array(starts, dtype=float)
    return np.asarray(times - np.min(times, where=np.isfinite(times), initial=np.inf))


def _selections(done: Sequence[tuple[Mapping, Any]]) -> list[Selection]:
    from nxscatter.output.selection import Selection

    return [Selection(data.container) for data, _ in done]
