"""One file, then all files of a folder, with the classes that scripts of the beamline use.

    python quickstart.py [FOLDER]

FOLDER holds SAXS files ``*_eiger2_*_raw.h5`` of ID02. Without it two small ones are simulated below
``nxscatter-examples/quickstart``. Rings are those of the simulated sample; put in your own.
"""

import sys
from pathlib import Path

import numpy as np

from nxscatter import BatchAzimProfileExtraction, Mapping

FILTER = "*_eiger2_*_raw.h5"
RINGS = np.array([0.05, 0.068])  # 1/angstrom


def simulated() -> Path:
    from nxscatter.simulate import field_series

    folder = Path("nxscatter-examples", "quickstart")
    field_series(folder, (0.0, 1400.0), q=RINGS.tolist())
    return folder


def main(folder: Path) -> None:
    # A single file: its container, ..._raw.nxs, is made beside it.
    data = Mapping(file=sorted(folder.glob(FILTER))[-1], qvalues=RINGS, threshold=0.02, binning=2)
    print(f"{data.samplename}: {data.B:g} mT, {data.D:g} m, {data.wl * 1e10:g} angstrom")
    for ring, values in data.azim_profile_fit(plotflag=True).items():
        print(f"q = {ring}: x0 = {values[2]:.2f} degrees, S = {values[7]:.3f}, R2 = {values[8]:.4f}")
    print("map:", data.plot2d_vsq(qmax=0.09, qcircles=RINGS, cmap="cividis"))

    # All of them: one table, one figure.
    batch = BatchAzimProfileExtraction(path=folder, qvalues=RINGS, file_filter=FILTER, threshold=0.02, binning=2)
    df = batch.fit_azimprofiles(plot=True, r2_threshold=0.85, prefix="SAXS")
    print(df[["B (mT)", "qvalue", "Order Parameter S", "S_error", "R_squared", "status"]].to_string(index=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else simulated())
