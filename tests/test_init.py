"""The public names."""

from __future__ import annotations

import pytest

import nxscatter
from nxscatter.store.container import Container


@pytest.mark.parametrize("name", nxscatter.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(nxscatter, name) is not None
    assert name in dir(nxscatter)


def test_open_gives_a_container_and_hides_no_builtin() -> None:
    assert nxscatter.open is Container
    assert "open" not in nxscatter.__all__
    assert "open" in dir(nxscatter)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'convrt'"):
        nxscatter.convrt  # noqa: B018


def test_a_misspelt_shape_parameter_names_the_legal_ones() -> None:
    with pytest.raises(nxscatter.NxscatterError, match="'pseudo_voigt' has no parameter 'gama': give gamma, eta"):
        nxscatter.order_parameter("pseudo_voigt", gama=3)
