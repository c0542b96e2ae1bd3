"""A reader: files of an instrument of our own, a JSON header in one line and raw counts behind it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Beam, Detector, Exposure, Origin, Sample, Scan
from nxscatter.readers.base import ReadOptions, file_sha256, first_bytes

MAGIC = b'{"rods": 1'


class RodsReader:
    """Files ``*.rods``: lengths in m, wavelength in angstrom, centre in pixels, counts as little-endian int32."""

    name = "rods"
    suffixes = (".rods",)

    def recognises(self, path: Path) -> bool:
        """Tell by the first bytes."""
        return first_bytes(path, len(MAGIC)) == MAGIC

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read a file.

        Raises
        ------
        ReadError
            When a key is missing, or the counts are not as many as the header says.
        """
        text, _, raw = path.read_bytes().partition(b"\n")
        header = json.loads(text)
        try:
            shape = header["frames"], header["rows"], header["columns"]
            beam = Beam(wavelength=header["wavelength"])
            detector = Detector(
                name="rods",
                rows=header["rows"],
                columns=header["columns"],
                distance=header["distance"],
                pixel_size_y=header["pixel"],
                pixel_size_x=header["pixel"],
                center_y=header["center"][0],
                center_x=header["center"][1],
                dummy=-1.0,
            )
            times = np.full(header["frames"], float(header["seconds"]))
            sample = Sample(options.sample or header["sample"], header.get("field", np.nan))
        except KeyError as error:
            raise ReadError(f"{path.name}: the header has no {error}; write the file again with it") from error
        if len(raw) != 4 * np.prod(shape):
            raise ReadError(f"{path.name}: {len(raw)} bytes for {shape} counts of 4; copy the file again")
        return Scan(
            title=header["sample"],
            beam=beam,
            detector=detector,
            sample=sample,
            origin=Origin(path.name, self.name, "application/x-rods", file_sha256(path), header),
            frames=np.frombuffer(raw, dtype="<i4").reshape(shape),
            exposure=Exposure(time=times, elapsed=np.arange(header["frames"]) * times),
            instrument="rods",
            source_type="Fixed Tube X-ray",
        )
