"""Order against time: one row a frame of a stack.

    python kinetics.py [FOLDER]

FOLDER holds SAXS stacks ``*_eiger2_*_raw.h5`` of ID02. Without it a stack is simulated below
``nxscatter-examples/kinetics``: a sample that aligns with a time constant of 5 s.
"""

import sys
from pathlib import Path

import numpy as np

from nxscatter import BatchAzimProfileExtraction


def simulated() -> Path:
    from nxscatter.simulate import kinetic_stack

    folder = Path("nxscatter-examples", "kinetics")
    folder.mkdir(parents=True, exist_ok=True)
    kinetic_stack(folder / "alignsaxs_eiger2_00001_raw.h5", frames=6, q=(0.05,))
    return folder


def main(folder: Path) -> None:
    batch = BatchAzimProfileExtraction(
        path=folder, qvalues=np.array([0.05]), file_filter="*_eiger2_*_raw.h5", threshold=0.02, binning=1
    )
    df = batch.fit_azimprofiles_vs_time(plot=True, prefix="SAXS_kinetic")
    print(df[["frame", "time (s)", "Order Parameter S", "S_error", "gamma", "status"]].to_string(index=False))
    batch.plot_save_azim_profiles_vs_time(prefix="SAXS")
    batch.plot_savedata(qmax=0.09, kinetic=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else simulated())
