"""Order against the magnetic field: Maier-Saupe fits, azimuthal profiles and radial profiles in sectors.

    python field_series.py [FOLDER]

FOLDER holds SAXS files ``*_eiger2_*_raw.h5`` of ID02. Without it a sweep up and down is simulated below
``nxscatter-examples/field_series``, and S is printed beside the truth.
"""

import json
import sys
from pathlib import Path

import numpy as np

from nxscatter import BatchAzimProfileExtraction

RINGS = np.array([0.05, 0.068])  # 1/angstrom


def simulated() -> Path:
    from nxscatter.simulate import field_series

    folder = Path("nxscatter-examples", "field_series")
    field_series(folder, (600.0, 1200.0), q=RINGS.tolist(), down=True)
    return folder


def main(folder: Path) -> None:
    batch = BatchAzimProfileExtraction(
        path=folder, qvalues=RINGS, file_filter="*_eiger2_*_raw.h5", threshold=0.02, binning=2
    )
    df = batch.fit_azimprofiles_MS(plot=True, r2_threshold=0.9, prefix="SAXS")
    columns = ["filename", "B (mT)", "qvalue", "Order Parameter S", "S_error", "status"]
    if (folder / "truth.json").is_file():
        truth = {(row["file"], row["q"]): row["S"] for row in json.loads((folder / "truth.json").read_text())}
        df["true S"] = [truth[key] for key in zip(df["filename"], df["qvalue"], strict=True)]
        columns.append("true S")
    print(df[columns].to_string(index=False))  # a sweep up and one down are different files and stay apart

    batch.plot_save_azim_profiles_vs_B(prefix="SAXS")
    batch.save_radialprofiles(nb_azim=2, offset=0, delta=90, width=20, prefix="SAXS")
    for name in ("SAXS_Fitting_results.png", "Azimuthal_Profiles/SAXS_azim_profiles.png"):
        print("figure:", folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else simulated())
