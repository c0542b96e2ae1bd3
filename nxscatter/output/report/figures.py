"""The figures of a report, in the order in which they are read."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.output.figures.canvas import small_png, title_of
from nxscatter.output.figures.curves import COLOURS, draw_fit, draw_radial, draw_sectors, method_name
from nxscatter.output.figures.figures import draw_image, marked_rings
from nxscatter.output.figures.maps import MASKED, draw_map
from nxscatter.output.figures.summary import draw_summary
from nxscatter.output.formats.q_images import placed_images
from nxscatter.output.table import Row
from nxscatter.results import Fits, Geometry, Image, PixelFlag, Profiles, Rings, Sectors
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nxscatter.model import Floats
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_MOST_FITS = 12  # pictures of fits; a page with more is too large to be sent around
_DPI = 120  # less than a figure of its own: all of them travel inside the page
_PANELS = 4  # rings whose profiles are drawn frame by frame


@dataclass(frozen=True)
class Picture:
    """A figure: what it shows for those who see it and for those who do not, and its PNG."""

    caption: str
    description: str
    png: bytes

    @property
    def width(self) -> int:
        """Width on a page, where an inch has 96 pixels."""
        return round(int.from_bytes(self.png[16:20], "big") * 96 / _DPI)

    @property
    def height(self) -> int:
        """Height on a page."""
        return round(int.from_bytes(self.png[20:24], "big") * 96 / _DPI)

    @property
    def data_uri(self) -> str:
        """The picture as text."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


def images(container: Container, records: Sequence[Record]) -> Iterator[Picture]:
    """Draw the last image in q space with mask and rings, and single frames of a stack."""
    rings, labels = marked_rings(records)
    marked = f", rings marked: {', '.join(labels)}" if labels else ""
    for record, image, geometry in placed_images(container, records):
        mean = f"mean of {image.frames} frames, " if image.frames > 1 else ""
        yield _picture(
            f"Intensity in q space ({mean}record {record.name}, logarithmic colours)",
            f"Map of the intensity over q_x and q_z; pixels without data are grey{marked}",
            (6.6, 5.8),
            draw_image,
            image,
            geometry,
            rings,
            labels,
            title_of(container),
        )
    frames = _ends(container.shape[0])
    geometries, masked = of_kind(records, Geometry), [record.load_as(Image) for record in of_kind(records, Image)]
    fitting = [image for image in masked if image.flags.shape == container.shape[1:]]
    if len(frames) > 1 and geometries and fitting:
        invalid = (fitting[0].flags & PixelFlag.invalid()) != 0
        stills = [np.where(invalid, np.nan, container.raw.read(frame)) for frame in frames]
        yield _picture(
            f"Raw frames {', '.join(map(str, frames))} of {container.shape[0]}, masked",
            "Maps of single frames of the stack over q_x and q_z, from the first to the last, in the same colours",
            (9.6, 3.6),
            _draw_stills,
            stills,
            geometries[-1].load(),
            frames,
        )


def profiles(container: Container, records: Sequence[Record]) -> Iterator[Picture]:
    """Draw radial profiles and sectors, and the azimuthal profiles of single frames of a stack."""
    title = title_of(container)
    for record in of_kind(records, Rings):
        yield _picture(
            f"Radial profile with the rings that were found (record {record.name})",
            "Mean intensity against q, logarithmic, a dashed line at each ring",
            (6.4, 4.0),
            draw_radial,
            record.load(),
            title,
        )
    for record in of_kind(records, Sectors):
        yield _picture(
            f"Radial profiles in sectors (record {record.name})",
            "Mean intensity against q in each sector of azimuth, both axes logarithmic",
            (6.4, 4.0),
            draw_sectors,
            record.load(),
            title,
        )
    for record in of_kind(records, Profiles):
        made = record.load_as(Profiles)
        if len(made.stack) > 1:
            yield _picture(
                f"Azimuthal profiles of frames {', '.join(map(str, _ends(len(made.stack))))} (record {record.name})",
                "Intensity against azimuth in the first, the middle and the last frame, one panel a ring",
                (7.2, 2.4 * min(len(made.q), _PANELS) + 0.8),
                _draw_frames,
                made,
                title,
            )


def fits(container: Container, records: Sequence[Record], table: Sequence[Row]) -> Iterator[Picture]:
    """Draw each ring of each fit with its residuals, of a stack the first frame; not more than a page can hold."""
    for record, made, ring in _fitted_rings(records)[:_MOST_FITS]:
        row = int(np.flatnonzero(made.ring == ring)[0])
        frame = None if made.frame[row] < 0 else int(made.frame[row])
        own = [
            entry
            for entry in table
            if (entry["record"], entry["q"], entry["frame"]) == (record.name, float(made.q[row]), frame)
        ]
        model, q = method_name(made.model), f"{made.q[row]:.4g}"
        yield _picture(
            f"{model} fit at q = {q} Å⁻¹" + ("" if frame is None else f", frame {frame}") + f" (record {record.name})",
            f"Azimuthal profile of the ring at q = {q} with the fitted {model} line, and the residuals below it; "
            f"status {made.status[row].replace('_', ' ')}",
            (6.4, 5.2),
            draw_fit,
            made,
            ring,
            own,
            title_of(container),
        )


def left_out(records: Sequence[Record]) -> int:
    """Return the number of fits that `fits` does not draw."""
    return max(0, len(_fitted_rings(records)) - _MOST_FITS)


def summary(container: Container, table: Sequence[Row]) -> Iterator[Picture]:
    """Draw the results against time, or against q where there are several rings."""
    if len({(row["frame"], row["q"]) for row in table}) < 2:
        return
    axis = next(name for name in ("elapsed_s", "frame", "q") if len({row[name] for row in table} - {None}) > 1)
    against = {"elapsed_s": "time", "frame": "frame", "q": "q"}[axis]
    yield _picture(
        f"Position, width and order parameter against {against}",
        f"Peak position, width and order parameter S with their errors against {against}, colours tell rings apart",
        (8.0, 6.4),
        draw_summary,
        table,
        axis,
        title_of(container),
    )


def _fitted_rings(records: Sequence[Record]) -> list[tuple[Record, Fits, int]]:
    found = []
    for record in of_kind(records, Fits):
        made = record.load_as(Fits)
        found += [(record, made, int(ring)) for ring in np.unique(made.ring)]
    return sorted(found, key=lambda found_ring: (found_ring[2], found_ring[0].sequence))


def _picture(
    caption: str, description: str, size: tuple[float, float], draw: Callable[..., Any], *arguments: Any
) -> Picture:
    return Picture(caption, description, small_png(size, _DPI, draw, *arguments))


def _ends(frames: int) -> list[int]:
    """Return the first, the middle and the last frame."""
    return sorted({0, frames // 2, frames - 1})


def _draw_stills(figure: Figure, stills: Sequence[Floats], geometry: Geometry, frames: Sequence[int]) -> None:
    """Draw frames side by side in the same colours."""
    from matplotlib.patches import Patch

    positive = np.concatenate([still[still > 0] for still in stills])
    limits = tuple(np.percentile(positive, (1.0, 99.9))) if positive.size else (0.1, 1.0)
    grid = figure.subplots(1, len(stills), sharex=True, sharey=True)
    for axes, still, frame in zip(grid, stills, frames, strict=True):
        shown = draw_map(axes, still, geometry, limits=(limits[0], max(limits[1], 1.01 * limits[0])))
        axes.set_title(f"frame {frame}", fontsize=9)
        axes.label_outer()
        if axes.get_legend():
            axes.get_legend().remove()
    figure.legend(handles=[Patch(facecolor=MASKED, label="masked")], loc="outside lower center", fontsize=8)
    figure.colorbar(shown, ax=grid, label="intensity (counts)")


def _draw_frames(figure: Figure, made: Profiles, title: str) -> None:
    """Draw the profiles of the first, the middle and the last frame, one panel a ring."""
    rings = range(min(len(made.q), _PANELS))
    grid = figure.subplots(len(rings), 1, sharex=True, squeeze=False)[:, 0]
    for axes, ring in zip(grid, rings, strict=True):
        for frame, colour in zip(_ends(len(made.stack)), COLOURS, strict=False):
            time = f" ({made.elapsed[frame]:.4g} s)" if len(made.elapsed) else ""
            axes.errorbar(
                made.bins,
                made.stack[frame, ring],
                made.stack_errors[frame, ring],
                fmt="o",
                ms=2,
                lw=0,
                elinewidth=0.6,
                color=colour,
                label=f"frame {frame}{time}",
            )
        axes.set_ylabel(f"intensity ({made.units})")
        axes.set_title(made.label(ring), fontsize=9, parse_math=False)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    grid[-1].set_xlabel(f"{'χ' if made.angle == 'chi' else 'β'} (degrees)")
    figure.suptitle(title, fontsize=9, parse_math=False)
