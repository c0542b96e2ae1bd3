"""Make the figures of methods.md from the package itself: ``python docs/make_figures.py [FOLDER]``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nxscatter.results import Image, Profiles
from nxscatter.science.fitting.models import Kratky, LeadbetterNorris, MaierSaupe
from nxscatter.science.fitting.moments import moments
from nxscatter.science.fitting.order import order_parameter
from nxscatter.science.pixels.radial import radial_profile
from nxscatter.simulate import EIGER2_SMALL, Pattern, Ring
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.fits import FitLeadbetterNorris, FitMaierSaupe, FitPseudoVoigt
from nxscatter.steps.orientation import OrderParameter

CHI = np.arange(-179.0, 181.0)
Q = 0.05
FLANKS = (0.16, 0.22)


def profile(intensity: np.ndarray) -> Profiles:
    """Return a profile of 100 pixels a bin, without noise."""
    shape = (1, len(intensity))
    return Profiles(
        angle="chi",
        q=np.array([Q]),
        q_width=np.array([1e-3]),
        hkl=("",),
        bins=CHI,
        intensity=intensity[None],
        intensity_errors=np.sqrt(intensity[None] / 100),
        pixels=np.full(shape, 100),
        measured=np.full(shape, 100),
        variance_slope=np.full(shape, 0.01),
        variance_floor=np.zeros(shape),
        theta_bragg=np.zeros(1),
    )


def frame(director: float, kappa: float) -> Image:
    """Return one noiseless frame of a ring, with gaps and beamstop."""
    ring = Ring(Q, 100.0, 0.1 * Q, "maier_saupe", director=director, kappa=kappa)
    counts = EIGER2_SMALL.expected(Pattern((ring,), flat=2.0, scale=6e-4))
    blind = EIGER2_SMALL.gap_mask() | EIGER2_SMALL.beamstop_mask()
    return Image(intensity=np.where(blind, np.nan, counts), flags=np.where(blind, 256, 0).astype(np.uint16))


def lines(figure: Figure) -> None:
    """Draw what one distribution looks like, and what a profile is read as."""
    left, right = figure.subplots(1, 2)
    inside = CHI[np.abs(CHI) <= 90]
    shapes = {
        "on the meridian: maier_saupe": MaierSaupe().line(inside, I=1.0, x0=0.0, kappa=2.0),
        "on the equator: kratky": Kratky().line(inside, I=1.0, x0=0.0, kappa=2.0),
        "on the equator: leadbetter_norris": LeadbetterNorris().line(inside, I=1.0, x0=0.0, kappa=2.0),
    }
    for name, line in shapes.items():
        left.plot(inside, line, label=name)
    left.set(
        xlabel="azimuth from the maximum (degrees)", ylabel="intensity", title="the same rods, kappa = 2", ylim=(0, 1.5)
    )
    left.legend(loc="upper center", fontsize=7)

    strengths = np.geomspace(0.4, 20, 12)
    true = order_parameter("kratky", kappa=strengths)
    found: dict[str, list[float]] = {"pseudo_voigt": [], "maier_saupe": [], "leadbetter_norris": [], "moments": []}
    for kappa in strengths:
        measured = profile(1e4 * Kratky().line(CHI, I=1.0, x0=0.0, kappa=kappa, b=0.1))
        fits = (FitPseudoVoigt()(measured), FitMaierSaupe()(measured), FitLeadbetterNorris()(measured))
        step = OrderParameter(method=tuple(found), reflection="equatorial", background=(1e3,))
        for method, S in zip(found, step(measured, fits).S, strict=True):
            found[method].append(S)
    for method, values in found.items():
        right.plot(true, values, "o-", markersize=3, label=method)
    right.plot([0, 1], [0, 1], "k:", linewidth=1, label="kratky: true")
    right.set(
        xlabel="S of the rods",
        ylabel="S as it is read",
        title="an equatorial profile of rods",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    right.legend(fontsize=7)


def background(figure: Figure) -> None:
    """Draw the flanks of a ring, and what the background does to S."""
    left, right = figure.subplots(1, 2)
    image = frame(25.0, 5.0)
    radial = radial_profile(image, EIGER2_SMALL.geometry)
    shown = (radial.q > 0.6 * Q) & (radial.q < 1.45 * Q)
    q = radial.q[shown]
    left.plot(q / Q, radial.intensity[shown], ".-", markersize=3, label="mean of all azimuths")
    under = np.nanmean(AzimuthalProfiles(q=(Q,), flanks=FLANKS)(image, EIGER2_SMALL.geometry).background)
    left.plot(1, under, "r_", markersize=24, label="background under the ring")
    for low, high in ((1 - FLANKS[1], 1 - FLANKS[0]), (1 + FLANKS[0], 1 + FLANKS[1])):
        left.axvspan(low, high, color="C2", alpha=0.3)
    left.set(xlabel="q relative to the ring's", ylabel="counts", title="flanks = [0.16, 0.22]", yscale="log")
    left.legend(fontsize=7)

    wrong = np.linspace(-0.1, 0.367, 120)
    for kappa in (1.0, 5.0):
        line = MaierSaupe().line(CHI, I=1.0, x0=0.0, kappa=kappa)
        right.plot(100 * wrong, [moments(CHI, line - level, 0.0).S for level in wrong], label=f"kappa = {kappa:g}")
        right.plot(0, order_parameter("maier_saupe", kappa=kappa), "ko", markersize=4)
    line = MaierSaupe().line(CHI, I=1.0, x0=0.0, kappa=1.0)
    right.plot(
        100 * line.min(), moments(CHI, line - line.min(), 0.0).S, "rx", label="the profile's minimum taken for it"
    )
    right.set(
        xlabel="background too high by (% of the peak)", ylabel="S of the moments", title="why the background counts"
    )
    right.legend(fontsize=7)


def folding(figure: Figure) -> None:
    """Draw a tilted pattern against chi and against beta."""
    left, right = figure.subplots(1, 2, sharey=True)
    image = frame(25.0, 8.0)
    for axes, angle in ((left, "chi"), (right, "beta")):
        measured = AzimuthalProfiles(q=(Q,), angle=angle)(image, EIGER2_SMALL.geometry)
        axes.plot(measured.bins, measured.intensity[0], ".", markersize=2)
        axes.set(xlabel=f"{angle} (degrees)", title=f"against {angle}")
    left.set(ylabel="counts")


def small(figure: Figure, path: Path) -> None:
    """Write a figure in a palette of colours, which keeps it small."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image as Picture

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
    Picture.fromarray(pixels).quantize(64).save(path, "PNG", optimize=True)


FIGURES: dict[str, Callable[[Figure], None]] = {
    "lines.png": lines,
    "background.png": background,
    "folding.png": folding,
}


def main(folder: Path) -> None:
    """Make all figures."""
    for name, draw in FIGURES.items():
        figure = Figure(figsize=(8, 3.2), dpi=110, layout="constrained")
        draw(figure)
        small(figure, folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "figures")
