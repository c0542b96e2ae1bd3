"""Conventions that all of the package shares: rotations, and names that can be stored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.model import Attachment, Origin, rotation_angles, rotation_matrix

angle = st.floats(-179.0, 179.0)


@given(angle, st.floats(-89.0, 89.0), angle)
def test_rotations_come_back_from_their_matrix(rot1: float, rot2: float, rot3: float) -> None:
    matrix = rotation_matrix(rot1, rot2, rot3)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert rotation_angles(matrix) == pytest.approx((rot1, rot2, rot3), abs=1e-6)


@given(angle, st.floats(-90.0, 90.0), angle)
def test_the_matrix_comes_back_even_where_two_rotations_are_about_one_axis(
    rot1: float, rot2: float, rot3: float
) -> None:
    matrix = rotation_matrix(rot1, rot2, rot3)
    np.testing.assert_allclose(rotation_matrix(*rotation_angles(matrix)), matrix, atol=1e-6)


def test_the_rotations_are_those_of_pyfai() -> None:
    from pyFAI.geometry import Geometry

    angles = (12.0, -25.0, 130.0)
    theirs = Geometry(1.0, rot1=np.radians(12.0), rot2=np.radians(-25.0), rot3=np.radians(130.0))
    np.testing.assert_allclose(rotation_matrix(*angles), theirs.rotation_matrix(), atol=1e-12)


def test_a_name_that_is_no_utf_8_can_be_stored() -> None:
    name = b"Gr\xe4fe_\xc3\xa4.edf".decode("utf-8", "surrogateescape")
    assert Attachment(name, "text").name == "Gräfe_ä.edf"
    origin = Origin(name, "image", "image/tiff", "0", {}, (f"{name} is not found", "\ud800"))
    assert (origin.file_name, origin.notes) == ("Gräfe_ä.edf", ("Gräfe_ä.edf is not found", "?"))
