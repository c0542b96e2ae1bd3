"""The kind of X-ray source, where a file does not name it."""

from __future__ import annotations

from nxscatter.model import SYNCHROTRON

# K lines in angstrom (alpha 1 and the mean of both, Bearden 1967), and what has an anode of the element.
_LINES = {
    "Cr": (2.28970, 2.29100, "Fixed Tube X-ray"),
    "Fe": (1.93604, 1.93735, "Fixed Tube X-ray"),
    "Co": (1.78897, 1.79026, "Fixed Tube X-ray"),
    "Cu": (1.54056, 1.54184, "Fixed Tube X-ray"),
    "Ga": (1.34013, 1.34144, "Metal Jet X-ray"),
    "Mo": (0.70930, 0.71073, "Fixed Tube X-ray"),
    "Ag": (0.55941, 0.56087, "Fixed Tube X-ray"),
    "In": (0.51212, 0.51357, "Metal Jet X-ray"),
}
_NEAR = 3e-4  # relative; headers give three to five digits


def source_type(wavelength: float, notes: list[str]) -> str:
    """Return the type of NXsource that a wavelength (angstrom) speaks for, with a note of what was assumed.

    X-rays of another wavelength than that of an anode come from a synchrotron.
    """
    for element, (alpha1, mean, kind) in _LINES.items():
        if min(abs(wavelength / line - 1) for line in (alpha1, mean)) < _NEAR:
            notes.append(f"the wavelength is that of a {element} anode: the source is taken for a laboratory's")
            return kind
    notes.append("nothing names the source: it is taken for a synchrotron")
    return SYNCHROTRON
