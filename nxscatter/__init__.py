"""nxscatter: X-ray scattering from raw frames to archived, checkable order parameters."""
