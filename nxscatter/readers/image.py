"""Images without a geometry of their own (TIFF, CBF, EDF), with a PONI file."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.model import Beam, Exposure, Origin, Scan
from nxscatter.plain import readable
from nxscatter.readers.base import ReadOptions, file_sha256
from nxscatter.readers.files.images import image_format, media_type, read_images
from nxscatter.readers.headers.geometry import place, unplaced_detector
from nxscatter.readers.headers.image_header import read_image_header
from nxscatter.readers.headers.keywords import Keywords, find_sample, per_frame
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.sources import source_type
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
        told = read_image_header(path.name, header, notes)
        detector = replace(
            unplaced_detector(told.detector or "unknown", (rows, columns), options),
            pixel_size_y=told.pixel_size_y,
            pixel_size_x=told.pixel_size_x,
        )
        placed = place(detector, options, told.wavelength)
        notes.extend(placed.notes)
        wavelength = placed.wavelength
        if options.poni is None:
            notes.append(missing_note("an image has no geometry", "--poni"))
        elif math.isnan(wavelength):
            wavelength = told.wavelength
            notes.append(f"{options.poni.name} has no Wavelength, that of the image's header is used")
        if options.poni is not None and math.isnan(wavelength):
            raise ReadError(f"{options.poni.name}: key Wavelength is missing; add it to the PONI file")
        if options.sample is None:
            notes.append("the sample's name is taken from the file's")
        keys, title = Keywords(path.name, header, notes), readable(path.stem)
        sample, source = find_sample(title, options, notes), source_type(wavelength, notes)
        return Scan(
            title=title,
            beam=Beam(wavelength),
            detector=placed.detector,
            sample=sample,
            origin=Origin(
                path.name, self.name, media_type(path), file_sha256(path), keys.header, tuple(notes), placed.doubts
            ),
            frames=frames,
            exposure=Exposure(
                time=per_frame(told.exposure_time, count), elapsed=per_frame(0.0 if count == 1 else None, 1)
            ),
            start_time=told.date,
            source_type=source,
            masks=tuple(file for file in stored.files if file.role == "mask"),
            auxiliary=(*(file for file in stored.files if file.role != "mask"), *placed.files),
        )
