"""No confident wrong number: frames with known truth and a defect put into them, and the same frames without it.

A row with status ``ok`` is off by no more than 4 standard errors, or 0.02 in S; a frame without defect is ``ok``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from nxscatter.model import Floats
from nxscatter.results import Geometry, Orientation
from nxscatter.science.fitting.order import order_parameter
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.caving import Caving
from nxscatter.steps.fits import FitMaierSaupe
from nxscatter.steps.orientation import OrderParameter
from support.oriented import GEOMETRY, Q, expose, image_of, moved, turned_by

KAPPAS = (0.0, 1.0, 2.0, 5.0, 15.0)
ISOTROPIC = 0.04  # S up to which a ring may be called isotropic


def order(counts: Floats, geometry: Geometry, tolerance: float = 0.02) -> Orientation:
    """Order parameters as a run of the recipe saxs has them, doubts included."""
    image = image_of(counts)
    caved = Caving()(image, geometry)
    profiles = AzimuthalProfiles(q=(Q,), tolerance=tolerance)(caved, geometry).doubted(())
    fits = FitMaierSaupe()(profiles).doubted(profiles.doubts)
    return OrderParameter(method=("maier_saupe",))(profiles, (fits,)).doubted(profiles.doubts)


def wrong(found: Orientation, kappa: float) -> str:
    """What is wrong with a row that is to be trusted, "" when nothing is."""
    true = float(order_parameter("maier_saupe", kappa=kappa)) if kappa else 0.0
    (S,), (error,), (status,) = found.S.tolist(), found.S_errors.tolist(), found.status
    if status == "ok" and abs(S - true) > max(4 * error, 0.02):
        return f"S = {S:.4f} +- {error:.4f} for {true:.4f}, ok"
    return "isotropic" if status == "isotropic" and true > ISOTROPIC else ""


def centres() -> Iterator[Geometry]:
    for distance in (1.0, 2.0, 3.0, 5.0, 10.0, 20.0):
        for direction in range(0, 360, 45):
            yield moved(GEOMETRY, distance, direction)


def tilts() -> Iterator[Geometry]:
    for angle in (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0):
        for axis in ("rot1", "rot2"):
            yield turned_by(GEOMETRY, axis, angle)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_a_frame_without_defect_is_right_and_ok(kappa: float) -> None:
    for director in (0.0, 30.0, 85.0):
        found = order(expose(kappa, director=director), GEOMETRY)
        assert found.status[0] == ("ok" if kappa else "isotropic")
        assert not wrong(found, kappa)


@pytest.mark.slow
@pytest.mark.parametrize("kappa", KAPPAS)
def test_a_wrong_centre(kappa: float) -> None:
    counts = expose(kappa)
    bad = {(g.center_y, g.center_x): text for g in centres() if (text := wrong(order(counts, g), kappa))}
    assert not bad


@pytest.mark.slow
@pytest.mark.parametrize("kappa", KAPPAS[:-1])
def test_a_tilt_that_the_geometry_does_not_know_and_one_that_it_does(kappa: float) -> None:
    bad = {}
    for turned in tilts():
        counts = expose(kappa, geometry=turned)
        if text := wrong(order(counts, GEOMETRY), kappa):
            bad["untold", turned.rot1, turned.rot2] = text
        told = order(counts, turned)
        if (text := wrong(told, kappa)) or told.status[0] not in ("ok", "isotropic"):
            bad["told", turned.rot1, turned.rot2] = text or told.status[0]
    assert not bad


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("director", [30.0, 85.0])
def test_gaps_anywhere_on_the_ring(tolerance: float, director: float) -> None:
    counts = expose(5.0, director=director, height=2000.0)
    whole = order(counts, GEOMETRY, tolerance)
    bad = {}
    for first in range(-66, 66, 6):
        for axis, centre in ((0, GEOMETRY.center_y), (1, GEOMETRY.center_x)):
            gap = counts.copy()
            at = slice(int(centre + first), int(centre + first) + 8)
            gap[(at, slice(None)) if axis == 0 else (slice(None), at)] = np.nan
            gap[:40] = np.nan  # so that not everything has a partner to be filled from
            found = order(gap, GEOMETRY, tolerance)
            if found.status[0] == "ok" and abs(found.S[0] - whole.S[0]) > max(4 * found.S_errors[0], 0.005):
                bad[axis, first] = f"{found.S[0]:.4f} for {whole.S[0]:.4f}"
    assert not bad


def test_a_swapped_or_mirrored_centre() -> None:
    for wrong_geometry in (
        replace(GEOMETRY, center_y=GEOMETRY.center_x, center_x=GEOMETRY.center_y),
        replace(GEOMETRY, center_y=GEOMETRY.rows - GEOMETRY.center_y),
    ):
        found = order(expose(5.0), wrong_geometry)
        assert found.status[0] != "ok"
        assert any("--swap-center" in reason or "--orient flip-y" in reason for reason in found.reasons(0))
