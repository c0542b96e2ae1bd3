"""LGC (Xenocs) EDF files with a SaxsKeyword header, single images and line-eraser composites."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.model import Exposure, Origin, Scan
from nxscatter.readers.base import ReadOptions, file_sha256, first_bytes
from nxscatter.readers.files.edf import is_edf, open_blocks, read_blocks
from nxscatter.readers.files.images import media_type, read_images
from nxscatter.readers.headers.header_files import named_files
from nxscatter.readers.headers.keywords import Keywords, find_sample, per_frame
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.saxskeywords import GEOMETRY_KEYS, normalization_factor, read_geometry
from nxscatter.readers.headers.sources import source_type
from nxscatter.readers.headers.titles import Composite, parse_composite

# the same program writes the files of all instruments of its maker: which one it was only the header can say
_INSTRUMENTS = ("Instrument", "Beamline", "Station")
_SOURCES = ("Source", "Facility")


class LgcReader:
    """Reader of EDF files whose header has SaxsKeywords, in any mixture of cases."""

    name = "lgc"
    suffixes = (".edf", ".edf.gz")

    def recognises(self, path: Path) -> bool:
        """Tell whether a file is an EDF one with a key of the scattering geometry."""
        return has_saxs_keywords(path)

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read a file.

        Raises
        ------
        ReadError
            When the file is truncated, the geometry is missing or impossible, or a frame of a composite is not
            in its folder.
        """
        stored = read_images(path)
        frames, header = stored.frames, stored.header
        keys = Keywords(path.name, header, list(stored.notes))
        composite = parse_composite(path.name)
        if composite is not None and options.poni is None:
            keys = _composite_keys(keys, path, composite, options)
        rows, columns = frames.shape[1:]
        beam, placed = read_geometry(keys, (rows, columns), _detector_name(keys), options)
        named = named_files(keys, (path,), (rows, columns), options)
        title = keys.text("Comment") or keys.text("title")
        sample = find_sample(keys.text("Comment"), options, keys.notes)
        exposure = keys.number("ExposureTime", "time")
        if exposure is None:
            exposure = keys.number("count_time", "time")
        start, source = keys.time("Date", "Time"), source_type(beam.wavelength, keys.notes)
        return Scan(
            title=title,
            beam=beam,
            detector=placed.detector,
            sample=sample,
            origin=Origin(
                path.name,
                self.name,
                media_type(path),
                file_sha256(path),
                header,
                tuple(keys.notes),
                (*placed.doubts, *named.doubts),
            ),
            frames=frames,
            exposure=Exposure(
                time=per_frame(exposure, len(frames)),
                elapsed=per_frame(0.0 if len(frames) == 1 else None, 1),
                intensity0=per_frame(keys.number("Intensity0"), len(frames)),
                intensity1=per_frame(keys.number("Intensity1"), len(frames)),
                normalization=normalization_factor(keys),
            ),
            start_time=start,
            instrument=_first_text(keys, _INSTRUMENTS) or "unknown",
            source_name=_first_text(keys, _SOURCES) or "unknown",
            source_type=source,
            masks=(*(file for file in stored.files if file.role == "mask"), *named.masks),
            auxiliary=(*(file for file in stored.files if file.role != "mask"), *named.auxiliary, *placed.files),
        )


def has_saxs_keywords(path: Path) -> bool:
    """Tell whether an EDF file names a key of the scattering geometry in one of its first headers; never raises."""
    keys = {key.lower() for key in GEOMETRY_KEYS}
    try:
        if not is_edf(first_bytes(path)):
            return False
        headers = (block.header for block in islice(open_blocks(path), 8))
        return any(keys & {key.lower() for key in header} for header in headers)
    except (ReadError, OSError):
        return _first_names(path, keys)


def _first_names(path: Path, keys: set[str]) -> bool:
    """Tell the same of a damaged file, whose reader says what is wrong with it."""
    try:
        first = first_bytes(path, 16384)
    except OSError:
        return False
    names = {line.partition(b"=")[0].strip(b"{ \0\r\n\t").lower() for line in first.split(b";")}
    return is_edf(first) and any(key.encode() in names for key in keys)


def _composite_keys(keys: Keywords, path: Path, composite: Composite, options: ReadOptions) -> Keywords:
    """Return the header of a composite with the centre of its two frames.

    Center_1 is that of the first frame, Center_2 that of the second; geometry that the composite itself lacks is
    the first frame's.
    """
    first = _frame_keys(keys, path, composite, composite.first, options)
    second = _frame_keys(keys, path, composite, composite.second, options)
    header = {key: value for key, value in keys.header.items() if key.lower() not in ("center_1", "center_2")}
    if first is not None and second is not None:
        header |= {"Center_1": first.get("Center_1"), "Center_2": second.get("Center_2")}
        keys.notes.append(f"Center_1 is that of {first.file}, Center_2 that of {second.file}")
        lacking = [key for key in GEOMETRY_KEYS[:4] if key not in keys and key in first]
        if lacking:
            header |= {key: first.get(key) for key in lacking}
            keys.notes.append(f"{', '.join(lacking)} are those of {first.file}")
    return Keywords(keys.file, header, keys.notes)


def _frame_keys(keys: Keywords, path: Path, composite: Composite, number: int, options: ReadOptions) -> Keywords | None:
    """Return the header of one frame of a composite; None with a note when it may be missing."""
    wanted = f"{composite.prefix}_0_{number:05d}.edf"
    frame = path.parent / wanted
    if not frame.is_file():
        what = f"is a composite of frame {number}, and {wanted} is not in its folder"
        if not options.skip_calibration:
            raise ReadError(f"{path.name}: {what}; copy it there or give the geometry with --poni")
        keys.notes.append(missing_note(what, "--poni"))
        return None
    return Keywords(wanted, read_blocks(frame)[0].header)


def _detector_name(keys: Keywords) -> str:
    """Return the first detector key that is a name; some instruments count theirs."""
    return _first_text(keys, ("DetectorName", "DetectorInfo", "Detector")) or "unknown"


def _first_text(keys: Keywords, names: Sequence[str]) -> str:
    """Return the first of these keys that is no number, "" for none."""
    texts = (keys.text(name) for name in names)
    return next((text for text in texts if text and not text.isdecimal()), "")
