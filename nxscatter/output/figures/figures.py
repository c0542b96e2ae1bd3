"""PNG figures: the map in q space, the fits, the radial profile, and a summary of all results.

Figures are made without pyplot and in matplotlib's own style, whatever style a session has set, and carry neither a
date nor a version: the same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.output.figures.canvas import figure_png, samples_title, title_of
from nxscatter.output.figures.comparisons import export_comparisons
from nxscatter.output.figures.curves import draw_fit, draw_radial, draw_sectors
from nxscatter.output.figures.map_views import export_views
from nxscatter.output.figures.maps import draw_map
from nxscatter.output.figures.summary import draw_summary
from nxscatter.output.files import write_file
from nxscatter.output.formats.q_images import image_suffix, placed_images
from nxscatter.output.names import Names, frame_suffix, record_suffix, ring_names
from nxscatter.output.selection import accepted, shown_rows
from nxscatter.output.table import Row, rows
from nxscatter.output.views import map_views, view_of
from nxscatter.results import Fits, Geometry, Image, Profiles, Rings, Sectors
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nxscatter.output.selection import Selection
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

__all__ = [
    "draw_fit",
    "draw_map",
    "draw_radial",
    "draw_sectors",
    "draw_summary",
    "export",
    "export_summary",
    "figure_png",
]

FIT_SIZE, SUMMARY_SIZE = (6.4, 5.2), (8.0, 6.4)  # inches


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the map of the last image, or those that were asked for, radial profiles, and the fit of each ring."""
    names = Names.of(container)
    written = export_views(container, folder, records)
    if not any(record.parameters["kind"] == "map" for record in map_views(records)):
        for record, image, geometry in placed_images(container, records):
            png = figure_png((6.6, 5.8), draw_image, image, geometry, *marked_rings(records), title_of(container))
            written.append(write_file(folder / names.map_figure(image_suffix(record)), png))
    for kind, part, draw in ((Rings, "full", draw_radial), (Sectors, "sectors", draw_sectors)):
        for record in of_kind(records, kind):
            path = names.shown(record).radial_profile(part, record_suffix(record, kind)).with_suffix(".png")
            title = title_of(container, view_of(container, record.base))
            written.append(write_file(folder / path, figure_png((6.4, 4.4), draw, record.load(), title)))
    for record in of_kind(records, Fits):
        for path, arguments in drawn_fits(container, record):
            written.append(write_file(folder / path, figure_png(FIT_SIZE, draw_fit, *arguments)))
    return written


def export_summary(selections: Sequence[Selection], folder: Path) -> list[Path]:
    """Write position, width and S of all fits of the containers, and the profiles of a series that have a view."""
    return export_results(selections, folder) + export_comparisons(selections, folder)


def export_results(selections: Sequence[Selection], folder: Path) -> list[Path]:
    """Write position, width and S of all fits of the containers, one figure for each of SAXS, WAXS and USAXS."""
    return [
        write_file(folder / name, figure_png(SUMMARY_SIZE, draw_summary, *arguments))
        for name, arguments in drawn_results(selections)
    ]


def drawn_results(selections: Sequence[Selection]) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Give the file of each summary of fits and what `draw_summary` takes behind the figure."""
    tables: dict[Path, list[Row]] = {}
    axes: dict[Path, str] = {}
    for selection in selections:
        for view, found in shown_rows(selection):
            name = selection.names.by(view).fitting_results
            tables.setdefault(name, []).extend(accepted(view, found))
            axes[name] = "" if view.time is None else "elapsed_s"
    for name, table in tables.items():
        if table:
            yield name, (table, axes[name], samples_title(row["sample"] for row in table))


def drawn_fits(container: Container, record: Record) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Give, for each ring of a record of fits, the file of its figure and what `draw_fit` takes behind the figure."""
    names = Names.of(container).shown(record)
    fits = record.load_as(Fits)
    table = rows(container, record=record)
    frame = None if not len(fits.frame) or fits.frame[0] < 0 else int(fits.frame[0])
    suffix = record_suffix(record, Fits) + frame_suffix(frame)
    title = title_of(container, view_of(container, record.base)) + ("" if frame is None else f", frame {frame}")
    first = [int(np.flatnonzero(fits.ring == ring)[0]) for ring in np.unique(fits.ring)]
    labels = ring_names(fits.q[first].tolist(), [fits.hkl[row] for row in first])
    for row, label in zip(first, labels, strict=True):
        of_ring = [entry for entry in table if entry["q"] == fits.q[row] and entry["frame"] == frame]
        yield names.fit_figure(label, suffix), (fits, int(fits.ring[row]), of_ring, title)


def marked_rings(records: Sequence[Record]) -> tuple[list[float], list[str]]:
    """Rings to mark on a map, with their labels: those of the profiles, else those that were found."""
    for kind in (Profiles, Rings):
        marked: dict[float, str] = {}
        for record in of_kind(records, kind):
            result: Any = record.load()
            for ring, q in enumerate(result.q.tolist()):
                reflection = result.hkl[ring] if kind is Profiles else ""
                marked[q] = f"({reflection})" if reflection else f"{q:.4g} Å⁻¹"
        if marked:
            return list(marked), list(marked.values())
    return [], []


def draw_image(
    figure: Figure, image: Image, geometry: Geometry, rings: Sequence[float], labels: Sequence[str], title: str
) -> None:
    axes = figure.add_subplot()
    shown = draw_map(axes, image.intensity, geometry, rings=rings, labels=labels)
    axes.set_title(title, fontsize=9, parse_math=False)
    figure.colorbar(shown, ax=axes, label=f"intensity ({image.units})")
