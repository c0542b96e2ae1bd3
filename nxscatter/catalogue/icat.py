"""ICAT: the message that enters processed data of the ESRF, as XML, with the fields that its definitions have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.catalogue.facts import Fact, about, facts, last_change
from nxscatter.catalogue.profile import NOT_STATED, Profile
from nxscatter.errors import ParameterError
from nxscatter.plain import canonical_json
from nxscatter.version import __version__

if TYPE_CHECKING:
    from nxscatter.store.container import Container

# texts without a declared unit: it is written with the number
_TEXTS = {
    "SAXS_waveLength": "wavelength",
    "SAXS_detector_distance": "distance",
    "SAXS_pixelSizeX": "pixel_size_x",
    "SAXS_pixelSizeY": "pixel_size_y",
    "SAXS_beam_center_x": "center_x",
    "SAXS_beam_center_y": "center_y",
    "SAXS_timePerFrame": "count_time",
    "SAXS_numberFrames": "frames",
    "Sample_name": "sample_name",
    "InstrumentDetector01_name": "detector",
}
_MICROMETRES = 1e6  # in 1 m: ICAT's pixel sizes are in micrometres
PROGRAM = {
    "software": f"nxscatter {__version__}",
    "machine": "not stated",  # by default the name of this computer would be sent
}


def write_icat(container: Container, path: Path, profile: Profile, dataset: str) -> Path:
    """Write the message of a container.

    Dates are those of the measurement where known, else of the newest record.

    Parameters
    ----------
    container : Container
        What to describe.
    path : Path
        File ending in ``.xml``.
    profile : Profile
        Beamline and proposal, and the folders at the facility where known.
    dataset : str
        Name of the dataset.

    Raises
    ------
    ParameterError
        When the profile lacks something, or ICAT's definitions refuse a value.
    """
    return store(_fields(container), path, profile, dataset)


def store(fields: Mapping[str, Any], path: Path, profile: Profile, dataset: str) -> Path:
    """Write the message with these fields."""
    from pyicat_plus.client.main import IcatClient
    from pyicat_plus.errors import IcatMetadataValidationError

    profile.require("icat")
    given = profile.icat
    client = IcatClient(metadata_urls=["localhost"])  # writing a file connects to nobody
    try:
        client.store_processed_data(
            beamline=given.beamline,
            proposal=given.proposal,
            dataset=dataset,
            path=given.path or NOT_STATED,
            raw=[given.raw or NOT_STATED],
            metadata=dict(fields),
            store_filename=str(path),
            strict=True,
        )
    except IcatMetadataValidationError as error:
        raise ParameterError(f"{profile.source}: ICAT refuses a value ({error}); mend [icat]") from error
    return path


def _fields(container: Container) -> dict[str, Any]:
    known = facts(container)
    first, last = container.start_time, container.end_time
    changed = last_change(container)
    fields: dict[str, Any] = {
        "Sample_name": "unknown",
        "Sample_description": about(known),
        "startDate": first or last or changed,
        "endDate": last or changed,
        **PROGRAM,
    }
    fields |= {name: _text(known[fact]) for name, fact in _TEXTS.items() if fact in known}
    fields |= {f"InstrumentDetector01_{name}": value for name, value in _detector(known).items()}
    if "S" in known:
        columns = (f"{name} = {_text(known[name])} ({known[name].path})" for name in ("S", "S_error") if name in known)
        fields["SAXS_comments"] = f"order parameter {', '.join(columns)}"
    return fields


def _detector(known: dict[str, Fact]) -> dict[str, float]:
    """Numbers in the units of the definitions: pixel sizes in micrometres, lengths in metres."""
    numbers: dict[str, float] = {}
    for axis in ("x", "y"):
        size, centre = known.get(f"pixel_size_{axis}"), known.get(f"center_{axis}")
        if size is not None:
            numbers[f"{axis}_pixel_size"] = size.value * _MICROMETRES
        if size is not None and centre is not None:
            numbers[f"beam_center_{axis}"] = centre.value * size.value
        elif f"beam_center_{axis}" in known:
            numbers[f"beam_center_{axis}"] = known[f"beam_center_{axis}"].value
    if "distance" in known:
        numbers["distance"] = known["distance"].value
    return numbers


def _text(fact: Fact) -> str:
    value = fact.value if isinstance(fact.value, str) else canonical_json(fact.value)
    return f"{value} {fact.unit}".strip()
