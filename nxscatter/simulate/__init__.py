"""Scattering patterns with known truth, written as the files of ID02 and LGC."""

from nxscatter.simulate.camera import EIGER2_4M, EIGER2_SMALL, EIGER2_USAXS, PILATUS_300K, RAYONIX_WAXS, Camera
from nxscatter.simulate.id02 import id02_name, write_id02
from nxscatter.simulate.lgc import lgc_name, write_lgc, write_line_eraser
from nxscatter.simulate.measurement import Run, Simulated
from nxscatter.simulate.physics import Pattern, Ring, Truth
from nxscatter.simulate.series import field_series, kinetic_stack, oriented, truth_rows, write_truth

__all__ = [
    "EIGER2_4M",
    "EIGER2_SMALL",
    "EIGER2_USAXS",
    "PILATUS_300K",
    "RAYONIX_WAXS",
    "Camera",
    "Pattern",
    "Ring",
    "Run",
    "Simulated",
    "Truth",
    "field_series",
    "id02_name",
    "kinetic_stack",
    "lgc_name",
    "oriented",
    "truth_rows",
    "write_id02",
    "write_lgc",
    "write_line_eraser",
    "write_truth",
]
