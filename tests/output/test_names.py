"""Names of exported files."""

from __future__ import annotations

import pytest

from nxscatter.output.names import image_number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("LPCNOsaxs_eiger2_00376_raw.h5", 376),
        ("LPCNO_eiger2_00230_raw.h5", 230),
        ("LPCNO_waxs_00017_raw.h5", 17),
        ("my_collection_2_eiger2_00012_00.h5", 12),
        ("xeuss_AgBh_2018-01-31-OT_0_13459.edf", 13459),
        ("OT_vd_0_13459-13460.edf", 13459),
        ("mask.edf", None),
    ],
)
def test_image_numbers(name: str, number: int | None) -> None:
    assert image_number(name) == number
