"""Images without a geometry of their own (TIFF, CBF, EDF), with a PONI file."""

from __future__ import annotations

import math
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.model import Beam, Exposure, Origin, Scan
from nxscatter.plain import readable
from nxscatter.readers.base import ReadOptions, file_sha256
from nxscatter.readers.files.images import image_format, media_type, read_images
from nxscatter.readers.headers.geometry import place, unplaced_detector
from nxscatter.readers.headers.keywords import Keywords, find_sample, per_frame
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.lgc import has_saxs_keywords


class ImageReader:
    """Reader of plain images; the geometry comes from ``options.poni``."""

    name = "image"
    suffixes = (".tif", ".tiff", ".cbf", ".edf")

    def recognises(self, path: Path) -> bool:
        """Tell whether a file is a TIFF or CBF image, or an EDF one without a geometry."""
        try:
            kind = image_format(path)
            return kind is not None and not (kind == "edf" and has_saxs_keywords(path))
        except OSError:
            return False

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read an image; sample and field are taken from the file's name.

        Raises
        ------
        ReadError
            When there is no PONI file or it has no wavelength, or the image is damaged.
        """
        notes: list[str] = []
        if options.poni is None and not options.skip_calibration:
            raise ReadError(f"{path.name}: an image has no geometry; supply it with --poni")
        stored = read_images(path)
        frames, header = stored.frames, stored.header
        notes.extend(stored.notes)
        count, rows, columns = frames.shape
        placed = place(unplaced_detector("unknown", (rows, columns), options), options)
        notes.extend(placed.notes)
        if options.poni is None:
            notes.append(missing_note("an image has no geometry", "--poni"))
        elif math.isnan(placed.wavelength):
            raise ReadError(f"{options.poni.name}: key Wavelength is missing; add it to the PONI file")
        if options.sample is None:
            notes.append("the sample's name is taken from the file's")
        keys, title = Keywords(path.name, header, notes), readable(path.stem)
        return Scan(
            title=title,
            beam=Beam(placed.wavelength),
            detector=placed.detector,
            sample=find_sample(title, options, notes),
            origin=Origin(
                path.name, self.name, media_type(path), file_sha256(path), keys.header, tuple(notes), placed.doubts
            ),
            frames=frames,
            exposure=Exposure(elapsed=per_frame(0.0 if count == 1 else None, 1)),
            masks=tuple(file for file in stored.files if file.role == "mask"),
            auxiliary=(*(file for file in stored.files if file.role != "mask"), *placed.files),
        )
