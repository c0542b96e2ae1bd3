"""Which rings a profile step works on, and which pixels belong to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nxscatter.errors import ParameterError, ReadError, StepError
from nxscatter.model import Attachment, Floats, Ints
from nxscatter.plain import Json
from nxscatter.results import Geometry, Rings
from nxscatter.science.geometry import qspace
from nxscatter.science.geometry.crystal import parse_hkl, read_cif


@dataclass(frozen=True, eq=False)
class RingChoice:
    """Rings and their pixels.

    Attributes
    ----------
    q, q_width : ndarray (ring,)
        Ring centres and half-widths, 1/angstrom.
    hkl : tuple of str
        Reflection of each ring, "" without one.
    index, angle : list of ndarray
        Flat pixel indices of each ring and their angle in degrees; empty for a ring that is not on the detector.
    missing : tuple of str
        What is wrong with each of those.
    auto : mapping
        What was chosen here and not by the user.
    """

    q: Floats
    q_width: Floats
    hkl: tuple[str, ...]
    index: list[Ints]
    angle: list[Floats]
    missing: tuple[str, ...] = ()
    auto: Mapping[str, Json] = field(default_factory=dict)


def choose_rings(
    step: str,
    geometry: Geometry,
    *,
    q: Sequence[float],
    hkl: Sequence[str],
    tolerance: float,
    angle: str,
    rings: Rings | None,
) -> RingChoice:
    """Return the rings at ``q``, or without any the rings that were found.

    Parameters
    ----------
    step : str
        Name of the asking step, for its error messages.
    geometry : Geometry
        Geometry of the image (binned as it is).
    q : sequence of float
        Ring centres, 1/angstrom; empty to take those of ``rings``.
    hkl : sequence of str
        Labels, none or one a ring.
    tolerance : float
        Half-width relative to q.
    angle : str
        ``"chi"`` or ``"beta"``.
    rings : Rings or None
        Rings found in the image.

    Raises
    ------
    StepError
        When there is no ring, or none on the detector.
    ParameterError
        When labels and rings differ in number.
    """
    found = rings is not None and not q
    centers = _centers(step, rings.q if rings is not None and found else q, hkl, found=found)
    pixels = [qspace.ring_pixels(geometry, float(value), tolerance * float(value)) for value in centers]
    missing = [
        _problem(step, geometry, value, tolerance)
        for value, (index, _, _) in zip(centers.tolist(), pixels, strict=True)
        if not len(index)
    ]
    if len(missing) == len(centers):
        raise StepError(missing[0])
    return RingChoice(
        q=centers,
        q_width=tolerance * centers,
        hkl=tuple(hkl) or ("",) * len(centers),
        index=[index for index, _, _ in pixels],
        angle=[chi if angle == "chi" else beta for _, chi, beta in pixels],
        missing=tuple(missing),
        auto={"q": centers.tolist()} if found else {},
    )


def _centers(step: str, q: Sequence[float] | Floats, hkl: Sequence[str], *, found: bool) -> Floats:
    """Return the ring centres as an array, after a look at their number."""
    if not len(q):
        why = "no ring was found" if found else "no ring is given"
        raise StepError(f"{step}: {why}: give {step}.q in 1/angstrom (--q)")
    if hkl and len(hkl) != len(q):
        raise ParameterError(f"{step}.hkl has {len(hkl)} labels for {len(q)} rings: give one a ring, or none")
    return np.asarray(q, dtype=float)


def _problem(step: str, geometry: Geometry, q: float, tolerance: float) -> str:
    """Say why there is no pixel at ``q``."""
    limit = 4 * np.pi / geometry.wavelength
    if q > limit:
        return (
            f"{step}.q = {q:g} is beyond 4 pi/wavelength = {limit:.4g} 1/angstrom: d is below half the wavelength, "
            "nothing scatters there"
        )
    low, high = qspace.q_range(geometry)
    if low <= q <= high:
        return f"{step}: no pixel at q = {q:g} within {tolerance:g} of it: give a larger {step}.tolerance"
    return f"{step}.q = {q:g} lies outside the detector: it reaches from {low:.4g} to {high:.4g} 1/angstrom"


def crystal_notes(cif: Attachment | None, hkl: Sequence[str]) -> list[str]:
    """Return what to be aware of in a CIF, and which reflections symmetry extinguishes; nothing without a CIF.

    A CIF that cannot be read is no error here, as q is known: earlier versions took some that this one does not.
    """
    if cif is None:
        return []
    try:
        crystal = read_cif(str(cif.content), cif.name)
    except ReadError as error:
        return [f"{error}; no extinctions known"]
    group = crystal.space_group or "its space group"
    extinct = [label for label in hkl if crystal.is_absent(parse_hkl(label, crystal.cell))]
    return [
        *(f"{cif.name}: {note}" for note in crystal.notes),
        *(
            f"{cif.name}: reflection ({label}) is extinct in {group}, what is seen there is something else"
            for label in extinct
        ),
    ]
