"""Profiles of a series in one figure: how they change with the field or in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nxscatter.output.figures.canvas import figure_png, samples_title
from nxscatter.output.files import write_file
from nxscatter.output.views import view_of
from nxscatter.results import Profiles, Sectors
from nxscatter.steps.views import View
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nxscatter.output.selection import Selection
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_IN_LEGEND = 8  # curves up to which each has its name in a legend; beyond, a colour bar says it


class Member(NamedTuple):
    """Profiles of one measurement (one frame of a stack): where it stands in the series, and what it shows."""

    state: float
    result: Profiles | Sectors
    frame: int


def export_comparisons(selections: Sequence[Selection], folder: Path) -> list[Path]:
    """Write one figure for all azimuthal profiles, and one for all radial profiles, that have a view."""
    figures: dict[Path, tuple[Callable[..., None], list[Member], list[str], bool]] = {}
    for selection in selections:
        for record in _with_view(selection.container, selection.records):
            view = view_of(selection.container, record.base)
            names = selection.names.by(view)
            result: Any = record.load()
            azimuthal = isinstance(result, Profiles)
            path = names.azimuthal_comparison if azimuthal else names.radial_comparison
            draw = draw_azimuthal if azimuthal else draw_radial
            _, members, samples, _ = figures.setdefault(path, (draw, [], [], view.time is not None))
            members += _members(result, selection.container.sample.magnetic_field, view.time)
            samples.append(selection.container.sample.name)
    return [
        write_file(folder / path, figure_png((8.0, 6.4), draw, members, in_time, samples_title(samples)))
        for path, (draw, members, samples, in_time) in figures.items()
    ]


def draw_azimuthal(figure: Figure, members: Sequence[Member], in_time: bool = False, title: str = "") -> None:
    """Draw the azimuthal profiles of a series, one panel a ring, in an empty figure.

    Parameters
    ----------
    figure : matplotlib Figure
        An empty figure.
    members : sequence of Member
        All with the same rings.
    in_time : bool
        Their states are times in s, not fields in mT.
    title : str
        Title of the figure.
    """
    first = members[0].result
    assert isinstance(first, Profiles)
    panels = [first.label(ring).replace("1/angstrom", "Å⁻¹") for ring in range(len(first.q))]
    grid = _draw(figure, members, panels, in_time, title)
    for axes in grid:
        axes.set_xlabel(f"{'χ' if first.angle == 'chi' else 'β'} (degrees)")
        axes.set_xlim(*((-180, 180) if first.angle == "chi" else (0, 180)))
        axes.set_ylabel(f"intensity ({first.units})")


def draw_radial(figure: Figure, members: Sequence[Member], in_time: bool = False, title: str = "") -> None:
    """Draw the radial profiles of a series, one panel a sector, both axes logarithmic, as `draw_azimuthal`."""
    from matplotlib.ticker import NullFormatter

    first = members[0].result
    assert isinstance(first, Sectors)
    panels = [f"χ = {chi:g}° ± {first.width / 2:g}°" for chi in first.chi]
    for axes in _draw(figure, members, panels, in_time, title):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())  # less than a decade would be crowded with numbers
        axes.set_xlabel("q (Å⁻¹)")
        axes.set_ylabel(f"intensity ({first.units})")


def _draw(figure: Figure, members: Sequence[Member], panels: Sequence[str], in_time: bool, title: str) -> list[Axes]:
    """Draw one panel for each curve of the members; colours go with their states, or else with their order."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    states = np.array([member.state for member in members])
    label, unit = ("time", "s") if in_time else ("magnetic field", "mT")
    if not np.isfinite(states).all() or len(set(states.tolist())) == 1:
        states, label, unit = np.arange(1.0, len(members) + 1), "measurement", ""
    low, high = float(states.min()), max(float(states.max()), float(states.min()) + 1e-9)
    scale = Normalize(low, low + (high - low) / 0.9)  # the palest colours are hard to see
    colours = colormaps["viridis"]
    columns = 1 if len(panels) == 1 else 2
    grid = figure.subplots(-(-len(panels) // columns), columns, squeeze=False).ravel().tolist()
    for number, (axes, name) in enumerate(zip(grid, panels, strict=False)):
        for member, state in zip(members, states, strict=True):
            if number >= member.result.stack.shape[1]:
                continue
            curve = member.result.stack[member.frame, number]
            own = member.result.bins if isinstance(member.result, Profiles) else member.result.q
            where = np.isfinite(curve) & (curve > 0) if isinstance(member.result, Sectors) else slice(None)
            text = f"{state:g} {unit}".strip()
            axes.plot(own[where], curve[where], color=colours(scale(state)), lw=0.9, label=text)
        axes.set_title(name, fontsize=9, parse_math=False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    if 1 < len(members) <= _IN_LEGEND:
        grid[0].legend(fontsize=7, title=label, title_fontsize=7)
    elif len(members) > 1:
        bar = figure.colorbar(ScalarMappable(scale, colours), ax=grid, label=f"{label} ({unit})" if unit else label)
        bar.ax.set_ylim(low, high)
    figure.suptitle(title, fontsize=10, parse_math=False)
    return grid[: len(panels)]


def _members(result: Profiles | Sectors, field: float, time: float | None) -> list[Member]:
    """Return one member, or one a frame, at its time in the series when the series has one."""
    if time is None or len(result.stack) == 1:
        return [Member(field if time is None else time, result, frame) for frame in range(len(result.stack))]
    return [Member(time + float(start), result, frame) for frame, start in enumerate(result.elapsed)]


def _with_view(container: Container, records: Sequence[Record]) -> list[Record]:
    bases = {parent.base for record in container.records if record.step == View.name for parent in record.parents}
    return [record for record in of_kind(records, Profiles, Sectors) if record.base in bases]
