"""The classes that people's scripts use, on top of containers and steps: they translate, delegate, translate back."""

from nxscatter.mapping.batch import BatchAzimProfileExtraction
from nxscatter.mapping.measurement import BESIDE
from nxscatter.mapping.single import Mapping

__all__ = ["BESIDE", "BatchAzimProfileExtraction", "Mapping"]
