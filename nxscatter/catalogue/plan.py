"""Records for the catalogues of facilities, made from containers: SciCat, RO-Crate and ICAT."""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nxscatter.catalogue.profile import NOT_STATED, Profile, check_orcid, read_profile
from nxscatter.catalogue.series import SeriesEntry, series_record, write_series_crate, write_series_icat
from nxscatter.errors import ParameterError
from nxscatter.store.access import is_series
from nxscatter.store.container import Container
from nxscatter.store.nexus.transaction import disk_error

if TYPE_CHECKING:
    from nxscatter.catalogue.scicat import SciCatRecord
    from nxscatter.catalogue.upload import Server

__all__ = ["FORMATS", "Entry", "Plan", "catalogue", "plan"]

FORMATS = ("scicat", "ro-crate", "icat")
_PACKAGES = {
    "scicat": ("scitacean", "catalogue"),
    "ro-crate": ("rocrate", "catalogue"),
    "icat": ("pyicat_plus", "icat"),
}
_log = logging.getLogger("nxscatter")


def catalogue(
    paths: Iterable[str | Path],
    folder: str | Path,
    formats: Sequence[str] = ("scicat", "ro-crate"),
    profile: str | Path | None = None,
    author: str | None = None,
    upload: str | None = None,
    *,
    licence: str | None = None,
    raw: bool = False,
    zipped: bool = False,
) -> list[Path]:
    """Write records of containers for catalogues, and send those for SciCat when a server is named.

    Parameters
    ----------
    paths : iterable of path
        Containers, each of which gives records of its own, named after it; a series gives one with its members.
    folder : path
        Where to write, made when absent; or the name of a zip file, for one crate. Records that are there already are
        replaced.
    formats : sequence of {"scicat", "ro-crate", "icat"}
        SciCat's JSON, a crate (folder or zip file) and ICAT's XML.
    profile : path, optional
        TOML file with what a container cannot know.
    author : str, optional
        ORCID of the author, in place of the profile's.
    upload : str, optional
        Address of a SciCat server. The token comes from the environment variable NXSCATTER_SCICAT_TOKEN.
    licence : str, optional
        In place of the profile's.
    raw : bool
        Write, and send, a SciCat record of each input file too.
    zipped : bool
        Write crates as zip files.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ParameterError
        When the profile lacks something (it is named), an option has no legal value, or a package is not installed.
    ContainerError
        When a file is no container, or a record cannot be written.
    CatalogueError
        When the server refuses a record or does not answer; everything is written by then.
    """
    files = [Path(path) for path in paths]
    planned = plan(files, folder, formats, profile, author, upload, licence=licence, raw=raw, zipped=zipped)
    entries = [planned.write(path) for path in files]
    for entry in entries:
        planned.send(entry)
    return [path for entry in entries for path in entry.paths]


@dataclass(frozen=True)
class Entry:
    """What was written of one container.

    Attributes
    ----------
    paths : tuple of Path
        Files and folders.
    derived, raw : SciCatRecord or None
        What can be sent to SciCat.
    """

    paths: tuple[Path, ...]
    derived: SciCatRecord | None = None
    raw: SciCatRecord | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be written of each container, and where it is sent; made by `plan`."""

    folder: Path
    formats: tuple[str, ...]
    profile: Profile
    several: bool = False
    raw: bool = False
    crate: str = "{stem}_ro_crate"
    server: Server | None = None

    def write(self, path: Path) -> Entry:
        """Write the records of one container, or of one series."""
        from nxscatter.catalogue.pictures import exported

        try:
            if is_series(path):
                self.folder.mkdir(parents=True, exist_ok=True)
                return self._write_series(SeriesEntry(path))
            container = Container(path)
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as scratch:
                needs_exports = {"scicat", "ro-crate"} & set(self.formats)
                exports = exported(container, Path(scratch)) if needs_exports else []
                return self._write(container, exports, Path(scratch))
        except OSError as error:
            raise disk_error(self.folder, error) from error

    def send(self, entry: Entry) -> None:
        """Send the SciCat records of one container, the input's first."""
        if self.server is None or entry.derived is None:
            return
        derived = entry.derived
        if entry.raw is not None:
            derived = derived.made_from(self.server.upload(entry.raw))
        self.server.upload(derived)

    def _write_series(self, series: SeriesEntry) -> Entry:
        stem, paths, derived = series.path.stem, [], None
        if "scicat" in self.formats:
            from nxscatter.catalogue.pictures import thumbnails
            from nxscatter.catalogue.scicat import write_json

            derived = series_record(series, self.profile, thumbnails(series.beside))
            paths.append(write_json(derived, self.folder / f"{stem}_scicat.json"))
        if "ro-crate" in self.formats:
            target = self.folder / self.crate.format(stem=stem)
            paths.append(write_series_crate(series, target, self.profile.ro_crate))
        if "icat" in self.formats:
            paths.append(write_series_icat(series, self.folder / f"{stem}_icat.xml", self.profile, self._dataset(stem)))
        return Entry(tuple(paths), derived)

    def _dataset(self, stem: str) -> str:
        """Name of a dataset in ICAT."""
        return f"{self.profile.icat.dataset}_{stem}" if self.several else self.profile.icat.dataset

    def _write(self, container: Container, exports: Sequence[Path], scratch: Path) -> Entry:
        stem, paths = container.path.stem, []
        derived = raw = None
        if "scicat" in self.formats:
            from nxscatter.catalogue.pictures import thumbnails
            from nxscatter.catalogue.scicat import derived_record, raw_record, write_json

            derived = derived_record(container, self.profile, thumbnails(exports))
            raw = raw_record(container, self.profile) if self.raw else None
            paths.append(write_json(derived, self.folder / f"{stem}_scicat.json"))
            if raw is not None:
                paths.append(write_json(raw, self.folder / f"{stem}_scicat_raw.json"))
        if "ro-crate" in self.formats:
            from nxscatter.catalogue.ro_crate import write_crate

            named = {f"exports/{path.relative_to(scratch).as_posix()}": path for path in exports}
            target = self.folder / self.crate.format(stem=stem)
            paths.append(write_crate(container, target, self.profile.ro_crate, named))
        if "icat" in self.formats:
            from nxscatter.catalogue.icat import write_icat

            paths.append(write_icat(container, self.folder / f"{stem}_icat.xml", self.profile, self._dataset(stem)))
        return Entry(tuple(paths), derived, raw)


def plan(
    files: Sequence[Path],
    folder: str | Path,
    formats: Sequence[str],
    profile: str | Path | None = None,
    author: str | None = None,
    upload: str | None = None,
    *,
    licence: str | None = None,
    raw: bool = False,
    zipped: bool = False,
) -> Plan:
    """Check what `catalogue` is asked for before anything is written, and return it."""
    _check_formats(formats, upload)
    known = read_profile(profile)
    changes = {"orcid": check_orcid(author) if author else None, "licence": licence}
    known = replace(known, ro_crate=replace(known.ro_crate, **{key: text for key, text in changes.items() if text}))
    sections = [name.replace("-", "_") for name in formats]
    for section in sections:
        known.require(section)
    for key in known.unstated(sections):
        _log.warning("%s: %s is not given, the record says %s", known.source, key, NOT_STATED)
    if len(files) > 1 and known.scicat.input_pid and isinstance(known.scicat.input_pid, str) and "scicat" in formats:
        raise ParameterError(
            f"{known.source}: [scicat] input_pid is one for {len(files)} files; write a table of input file name to PID"
        )
    _check_names(files)
    folder, crate = Path(folder).expanduser(), "{stem}_ro_crate.zip" if zipped else "{stem}_ro_crate"
    if folder.suffix == ".zip":
        if len(files) > 1 or tuple(formats) != ("ro-crate",):
            raise ParameterError(f"{folder}: is one zip file, for one file as ro-crate; name a folder and use --zip")
        folder, crate = folder.parent, folder.name.replace("{", "{{").replace("}", "}}")
    return Plan(folder, tuple(formats), known, len(files) > 1, raw, crate, _server(upload))


def _check_formats(formats: Sequence[str], upload: str | None) -> None:
    for name in formats:
        if name not in FORMATS:
            raise ParameterError(f"unknown format '{name}': use one of {', '.join(FORMATS)}")
        package, extra = _PACKAGES[name]
        if importlib.util.find_spec(package) is None:
            raise ParameterError(f'format {name} needs {package}: pip install "nxscatter[{extra}]"')
    if upload is not None and "scicat" not in formats:
        raise ParameterError(f"--upload {upload}: sends SciCat records; add scicat to --format")


def _check_names(files: Sequence[Path]) -> None:
    taken: dict[str, Path] = {}
    for path in files:
        if path.stem in taken:
            raise ParameterError(f"{path} and {taken[path.stem]} give records of the same name; use two folders")
        taken[path.stem] = path


def _server(upload: str | None) -> Server | None:
    if upload is None:
        return None
    from nxscatter.catalogue.upload import Server

    return Server.connect(upload)
