"""The geometry in pyFAI's terms."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.science.geometry import pyfai_bridge, qspace
from support.scattering import make_geometry

TILTED = {"distance": 0.012, "pixel_size_x": 1.7e-4, "rot1": 4.0, "rot2": -3.0, "rot3": 8.0}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_image_of_any_orientation_stands_upright(orientation):
    geometry = make_geometry(44, 60, center_y=20.2, center_x=31.7, orientation=orientation, **TILTED)
    integrator = pyfai_bridge.integrator(geometry)
    for unit, ours in (("q_A^-1", qspace.q_map(geometry)), ("chi_deg", qspace.chi_map(geometry))):
        theirs = integrator.array_from_unit(None, "center", unit)
        np.testing.assert_allclose(pyfai_bridge.turn(ours, orientation), theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_upright_geometry_is_the_same_place(orientation):
    geometry = make_geometry(44, 60, center_y=20.2, center_x=31.7, orientation=orientation, **TILTED)
    upright = pyfai_bridge.upright(geometry)
    assert upright.orientation == 1
    np.testing.assert_allclose(
        qspace.q_map(upright), pyfai_bridge.turn(qspace.q_map(geometry), orientation), rtol=1e-12
    )
