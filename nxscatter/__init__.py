"""nxscatter: X-ray scattering from raw frames to archived, checkable order parameters.

>>> import nxscatter as nxs
>>> box = nxs.convert("LPCNOsaxs_eiger2_00376_raw.h5")  # doctest: +SKIP
>>> nxs.process(box, q=[0.05, 0.068])  # doctest: +SKIP

Names are imported when they are used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nxscatter.errors import NxscatterError as NxscatterError
    from nxscatter.mapping import BatchAzimProfileExtraction as BatchAzimProfileExtraction
    from nxscatter.mapping import Mapping as Mapping
    from nxscatter.readers.base import ReadOptions as ReadOptions
    from nxscatter.science.fitting.order import order_parameter as order_parameter
    from nxscatter.store.container import Container as Container
    from nxscatter.store.container import Container as open  # noqa: A004, F401, N813
    from nxscatter.store.record import Record as Record
    from nxscatter.version import __version__ as __version__
    from nxscatter.workflow.conversion import convert as convert
    from nxscatter.workflow.process import process as process
    from nxscatter.workflow.recipe import Recipe as Recipe
    from nxscatter.workflow.runner import run as run

_HOMES = {
    "__version__": "version.__version__",
    "BatchAzimProfileExtraction": "mapping.BatchAzimProfileExtraction",
    "Container": "store.container.Container",
    "Mapping": "mapping.Mapping",
    "NxscatterError": "errors.NxscatterError",
    "ReadOptions": "readers.base.ReadOptions",
    "Recipe": "workflow.recipe.Recipe",
    "Record": "store.record.Record",
    "convert": "workflow.conversion.convert",
    "open": "store.container.Container",
    "order_parameter": "science.fitting.order.order_parameter",
    "process": "workflow.process.process",
    "run": "workflow.runner.run",
}

# ``open`` is left out: a star import must not hide the built-in
__all__ = [
    "BatchAzimProfileExtraction",
    "Container",
    "Mapping",
    "NxscatterError",
    "ReadOptions",
    "Recipe",
    "Record",
    "__version__",
    "convert",
    "order_parameter",
    "process",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nxscatter' has no attribute '{name}'")
    from importlib import import_module

    module, attribute = _HOMES[name].rsplit(".", 1)
    value = getattr(import_module(f"nxscatter.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *_HOMES})
