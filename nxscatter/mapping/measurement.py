"""One measurement behind the classes of the scripts: its arguments, its container, and the chain of its steps."""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.mapping.requests import Ring, miller
from nxscatter.model import Attachment, Floats
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.files import texts
from nxscatter.results import Geometry, Image
from nxscatter.store.access import is_container
from nxscatter.workflow.conversion import Conversion, RawFile, convert_file, naming, read_raw
from nxscatter.workflow.paths import PathLike, container_path
from nxscatter.workflow.process import run_recipe
from nxscatter.workflow.recipe import Recipe, Use

if TYPE_CHECKING:
    from nxscatter.model import Array, Detector, Scan
    from nxscatter.science.geometry.crystal import Crystal
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

Numbers: TypeAlias = "Array | Sequence[float] | float"
Reflections: TypeAlias = "Array | Sequence[Sequence[int]]"
_WIDEST = 0.1  # relative half-width of a ring up to which one is widened
_log = logging.getLogger("nxscatter")


class Place(Enum):
    """Where a container belongs when nothing else is said."""

    BESIDE = "beside the input"

    def __repr__(self) -> str:
        """Name it as one writes it."""
        return self.name


BESIDE = Place.BESIDE


class Measurement:
    """Arguments, container and chain of steps of one measurement; base of `Mapping`.

    Every method that computes runs the whole chain: geometry, masking, binning, caving, and what it needs itself.
    What is up to date in the container is found there and not computed again.
    """

    _waits = False  # whether the container is made with the first computation, in one transaction

    def __init__(
        self,
        file: PathLike,
        cif_file: PathLike | None,
        instrument: str,
        reflections: Reflections | None,
        qvalues: Numbers | None,
        threshold: float,
        binning: int,
        mask: PathLike | Attachment | None,
        skipcalib: bool,
        container: PathLike | Place | None,
    ) -> None:
        self.file = Path(file).expanduser()
        self.cif_file = cif_file
        self.instrument = instrument
        self.reflections = None if reflections is None else np.atleast_2d(reflections)
        self.qvalues = None if qvalues is None else np.atleast_1d(np.asarray(qvalues, dtype=float))
        self.threshold = threshold
        self.binning = binning
        self.mask = mask
        self.skipcalib = skipcalib
        self._caved = False
        self._told: set[str] = set()  # warnings, each given once
        self._images: dict[tuple[Any, ...], Image] = {}
        self._maps: dict[tuple[str, float], Floats] = {}
        options = ReadOptions(skip_calibration=skipcalib)
        self._conversion = Conversion(instrument.lower(), options)
        self._raw: RawFile | None = None  # until the container is there
        self._output = self._folder_of(container)
        with naming(self.file):
            if is_container(self.file):
                self.container = self._copied()
            else:
                self._raw = read_raw(self.file, self._conversion)
                if not self._waits:
                    self.container = self._converted()
        # files that methods write lie beside the container, or beside the input when that is in memory
        self.folder = (
            self.file.parent if container is None else container_path(self.file, self._output).resolve().parent
        )

    def _folder_of(self, place: PathLike | Place | None) -> PathLike | None:
        """Return the folder of the container, or None: beside the input."""
        if place is None:
            place = tempfile.mkdtemp(prefix="nxscatter-")
            weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        return None if isinstance(place, Place) else place

    def _copied(self) -> Container:
        """Return the container to work in when the input is one."""
        from nxscatter.store.container import Container
        from nxscatter.store.writer import creating

        target = self.file if self._output is None else container_path(self.file, self._output)
        if not target.exists():
            with creating(target, Container(self.file)):
                pass
        return Container(target)

    @cached_property
    def container(self) -> Container:
        """The container of the measurement, made when it is first needed."""
        return self._converted()

    def _converted(self) -> Container:
        assert self._raw is not None
        made = convert_file(self._raw, self._conversion, self._output).container
        self._raw = None
        return made

    def _run(self, *uses: Use) -> list[Record]:
        """Run the image's chain and then ``uses``; return the records of those."""
        recipe = Recipe("mapping", (*self._image_uses(), *uses))
        if self._raw is not None:
            done = run_recipe(self._raw, recipe, output=self._output, conversion=self._conversion, keep_masks=False)
            self._raw, self.container = None, done.container
        else:
            done = run_recipe(self.container, recipe, keep_masks=False)
        for record in done.records:
            if record.name in done.added:
                self._warn(*record.notes)
        return list(done.records)[len(done.records) - len(uses) :]

    @property
    def _image(self) -> Image:
        """The image as it is now: mean of all frames, masked, binned, and caved if that was asked for."""
        key = (self.binning, self.mask, self._caved)
        if key not in self._images:
            self._images = {key: self._image_record().load_as(Image)}
        return self._images[key]

    def _image_record(self) -> Record:
        from nxscatter.workflow.runner import run_steps

        with naming(self.file):
            steps = Recipe("mapping", self._image_uses()).make()
            if self.skipcalib and not self._caved:  # an image alone needs no geometry, which may be unknown
                steps = [use for use in steps if use[0].output() is not Geometry]
            return run_steps(self.container, steps)[-1]

    def _image_uses(self) -> tuple[Use, ...]:
        uses = [Use("masking", "masking", parameters={"mask": self._masks})]
        if self.binning != 1:
            uses.append(Use("binning", "binning", parameters={"factor": self.binning}))
        if self._caved:
            uses.append(Use("caving", "caving"))
        return tuple(uses)

    @property
    def _masks(self) -> tuple[Attachment, ...]:
        if self.mask is None:
            return ()
        return (self.mask if isinstance(self.mask, Attachment) else load_mask(self.mask),)

    @property
    def _source(self) -> Scan | Container:
        """What describes beam and detector: the raw file until it is converted."""
        return self.container if self._raw is None else self._raw.scan

    @cached_property
    def _detector(self) -> Detector:
        return self._source.detector

    @property
    def _geometry(self) -> Geometry:
        """Geometry of the binned image."""
        from nxscatter.steps.geometry import DetectorGeometry

        with naming(self.file):
            return DetectorGeometry()(self._source.beam, self._detector).binned(self.binning)

    @cached_property
    def _crystal(self) -> Crystal | None:
        """What the CIF says, None without one."""
        from nxscatter.science.geometry.crystal import read_cif

        return None if self._cif is None else read_cif(str(self._cif.content), self._cif.name)

    @cached_property
    def _cif(self) -> Attachment | None:
        return None if self.cif_file is None else texts.read_cif(self.cif_file)

    def _known_crystal(self) -> Crystal:
        if self._crystal is None:
            raise ParameterError(f"{self.file.name}: reflections need a crystal structure: give cif_file")
        return self._crystal

    def _rings(self) -> list[Ring]:
        """Return the rings that the arguments ask for: reflections, then q values."""
        found = [] if self.reflections is None else [self._reflection(reflection) for reflection in self.reflections]
        if self.qvalues is not None:
            found += [Ring(str(q), float(q)) for q in self.qvalues]
        if not found:
            raise ParameterError(f"{self.file.name}: no ring is asked for: give qvalues, or cif_file and reflections")
        return found

    def _ring(self, reflection: Any = None, qvalue: float | None = None) -> Ring:
        """Return the one ring that a method is asked for."""
        if (reflection is None) == (qvalue is None):
            raise ParameterError(f"{self.file.name}: give a reflection, or a qvalue in 1/angstrom")
        return self._reflection(reflection) if qvalue is None else Ring(str(qvalue), float(qvalue))

    def _reflection(self, reflection: Any) -> Ring:
        from nxscatter.science.geometry.crystal import q_hkl
        from nxscatter.science.pixels.ring_choice import crystal_notes

        crystal = self._known_crystal()
        hkl = miller(reflection, crystal.cell)
        ring = Ring(str(reflection), q_hkl(crystal.cell, hkl), " ".join(map(str, hkl)))
        self._warn(*crystal_notes(self._cif, (ring.hkl,)))
        return ring

    def _tolerance(self, rings: Sequence[Ring]) -> float:
        """Return the relative half-width of the rings: the threshold, where that leaves no bin without pixels.

        A narrower one gives way to the default of the steps, or to what fills the bins of all rings if that is more,
        and a warning says so.
        """
        from nxscatter.science.pixels.azimuth_bins import AzimuthBins
        from nxscatter.steps.azimuthal import AzimuthalProfiles

        usual = AzimuthalProfiles.tolerance
        if self.threshold >= usual:
            return self.threshold
        bins = AzimuthBins("chi", AzimuthalProfiles.bins)
        needed = max(bins.tolerance_to_fill(self._geometry, ring.q) for ring in rings)
        if self.threshold >= needed:
            return self.threshold
        taken = max(usual, needed) if needed <= _WIDEST else usual
        self._warn(f"threshold = {self.threshold:g} is less than the pixels resolve: {taken:g} is taken instead")
        return taken

    def _warn(self, *texts: str) -> None:
        for text in texts:
            if text not in self._told:
                self._told.add(text)
                _log.warning("%s: %s", self.file.name, text)


def load_mask(path: PathLike) -> Attachment:
    """Read a mask file; non-zero means that a pixel is ignored."""
    from nxscatter.readers.files.masks import read_mask

    return read_mask(Path(path).expanduser())
