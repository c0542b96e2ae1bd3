"""All commands: importing their modules enters them into the application, in the order of its help."""

from nxscatter.cli import convert, show, series, export, verify, containers, catalogue, recipes, demo  # noqa: F401, I001
from nxscatter.cli.app import app

__all__ = ["app"]
