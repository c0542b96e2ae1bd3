"""What a file that no reader knows seems to be, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

from nxscatter.readers.base import first_bytes, is_hdf5

_MAGIC = {
    b"\x1f\x8b": "is packed by gzip: unpack it (gunzip) first",
    b"BZh": "is packed by bzip2: unpack it (bunzip2) first",
    b"\xfd7zXZ\0": "is packed by xz: unpack it (unxz) first",
    b"PK\x03\x04": "is a ZIP or NumPy archive: unpack a ZIP first; an NPZ goes with --mask",
    b"\x89PNG": "is a PNG picture, which holds no counts: give the raw file; a mask goes with --mask",
    b"\x93NUMPY": "is a NumPy array: a mask goes with --mask; for frames give the raw file",
    b"M\0\0\0A\0\0\0S\0\0\0K": "is a Fit2D mask: it goes with --mask",
    b"\xff\xd8\xff": "is a JPEG picture, which holds no counts: give the raw file",
    b"%PDF": "is a PDF document: give a raw file",
    b"SIMPLE  =": "is a FITS file, which is not read: save it as TIFF or EDF",
    b"CDF": "is a netCDF file, which is not read: save it as TIFF or EDF",
    b"version https://git-lfs": "is a pointer of git-lfs, not the file itself: run git lfs pull",
}


def seems(path: Path) -> str:
    """Say what a file seems to be and what to do, "" when nothing tells it."""
    if is_hdf5(path):
        return _hdf5(path)
    first = first_bytes(path, 1 << 14)
    for magic, what in _MAGIC.items():
        if first.startswith(magic):
            return what
    return _text(path, first)


def _hdf5(path: Path) -> str:
    from nxscatter.readers.files.hdf5 import Hdf5Source
    from nxscatter.readers.files.hdf5_values import attribute

    with Hdf5Source(path) as source:  # a damaged file says so here
        creator = str(attribute(source.root, "creator") or "")
        if creator == "nxscatter":
            return "is a nxscatter container already; it needs no reader"
        if creator.startswith("nxscatter"):
            return "is a nxscatter series; nxscatter view shows it"
        named = {str(name) for name in source.root}
        definitions = set()
        for _, entry in source.groups(source.root):
            definitions.add(source.text("definition", entry))
            data = source.group("data", entry)
            if data is not None and any(str(name).startswith("data_0") for name in data):
                missing = "; ".join(dict.fromkeys(source.notes))
                return f"is an Eiger master without an NXsas description{missing and f' ({missing})'}: {_NEXT}"
            classes = {attribute(group, "canSAS_class") for _, group in source.groups(entry)}
            if "NXcanSAS" in definitions or attribute(entry, "canSAS_class") or "SASdata" in classes:
                return "is an NXcanSAS file of reduced data: give the raw frames that it was made of"
        found = sorted(definition for definition in definitions if definition)
        if found:
            return f"is a NeXus file of {', '.join(found)}, which no reader knows: {_NEXT}"
        if any(name.startswith("data") for name in named) or source.dataset("entry/data/data") is not None:
            return f"is a file of frames (an Eiger data file?) without a description: {_NEXT}"
        what = "a NeXus file without a definition" if "entry" in named else "an HDF5 file without NeXus entries"
        return f"is {what} ({', '.join(sorted(named)[:5]) or 'nothing in it'}): {_NEXT}"


_NEXT = "give its master or raw file, or frames saved as TIFF or EDF with --poni; --reader nxsas tries it as NXsas"


def _text(path: Path, first: bytes) -> str:
    text = first.decode("utf-16" if first.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", "replace")
    odd = sum(not (letter.isprintable() or letter.isspace()) or letter == "\ufffd" for letter in text)
    if odd > 0.02 * max(len(text), 1):
        return ""
    lowered, start = text.lower(), text.lstrip("\ufeff \r\n\t")
    if start.startswith(("{", "[")) and ((start[0] == "{" and '"' in start[:200]) or start.startswith("[")):
        return "is JSON text: a calibration goes with --poni as a PONI file; give a raw file"
    if "poni1" in lowered or "pixelsize1" in lowered:
        return "is a PONI file: it goes with --poni"
    if start.startswith("data_") or "_cell_length_a" in lowered:
        return "is a CIF: it goes with --cif"
    if start.startswith("<"):
        return "is XML or HTML text (reduced data, or a page in place of a download): give a raw file"
    numbers = sum(letter.isdigit() or letter in "+-.eE,;\t \r\n" for letter in start)
    kind = "a table of numbers, reduced data perhaps" if numbers > 0.7 * len(start) else "text"
    return f"is {kind}: give a raw detector file"
