"""nxscatter: X-ray scattering from raw frames to archived, checkable order parameters."""

__version__ = "0.1.0"
