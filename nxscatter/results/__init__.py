"""What steps return: frozen values that declare units and dimensions once.

NaN in an array means "no data" (or "not fitted", with a status beside it), never zero.
"""

from nxscatter.results.base import STATUSES, Intensities, PixelFlag, Result
from nxscatter.results.fits import Fits, Orientation
from nxscatter.results.images import Geometry, Image, QMap
from nxscatter.results.plots import Plot
from nxscatter.results.profiles import PixelProfiles, Profiles, Rings, Sectors

__all__ = [
    "STATUSES",
    "Fits",
    "Geometry",
    "Image",
    "Intensities",
    "Orientation",
    "PixelFlag",
    "PixelProfiles",
    "Plot",
    "Profiles",
    "QMap",
    "Result",
    "Rings",
    "Sectors",
]
