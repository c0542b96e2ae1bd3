"""Reflections of a crystal: where they stand, and how well they are aligned.

    python waxs_cif.py [FILE CIF]

FILE is a WAXS file of ID02, CIF the crystal structure. Without them one of hexagonal cobalt is simulated below
``nxscatter-examples/waxs_cif``.
"""

import sys
from pathlib import Path

import numpy as np

from nxscatter import Mapping

REFLECTIONS = np.array([[1, 0, 0], [0, 0, 2]])
COBALT = """\
data_cobalt
_symmetry_space_group_name_H-M 'P 63/m m c'
_cell_length_a 2.5071
_cell_length_b 2.5071
_cell_length_c 4.0686
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Co1 0.33333 0.66667 0.25
"""


def simulated() -> tuple[Path, Path]:
    from nxscatter.simulate import RAYONIX_WAXS, Pattern, Ring, Run, write_id02

    folder = Path("nxscatter-examples", "waxs_cif")
    folder.mkdir(parents=True, exist_ok=True)
    cif = folder / "cobalt.cif"
    cif.write_text(COBALT)
    rings = (
        Ring(2.8939, 300.0, 0.08, "maier_saupe", director=90.0, kappa=4.0),
        Ring(3.0886, 400.0, 0.08, "maier_saupe", director=0.0, kappa=4.0),
    )
    run = Run("cobalt", 800.0)
    return write_id02(folder / "cobalt_waxs_00001_raw.h5", Pattern(rings, flat=5.0), RAYONIX_WAXS, run).path, cif


def main(file: Path, cif: Path) -> None:
    data = Mapping(file, cif_file=cif, reflections=REFLECTIONS, threshold=0.01, binning=1)
    print("a, b, c, alpha, beta, gamma:", data.lattice_parameters)
    results = data.azim_profile_fit_MS(plotflag=True)
    for reflection in data.reflections:
        d, q = data.d_hkl(reflection), data.q_hkl(reflection) * 1e-10
        _, x0, _, kappa, _, _, S, R2 = results[str(reflection)]
        print(f"{reflection}: d = {d:.3f} angstrom, q = {q:.4f} 1/angstrom, ", end="")
        print(f"x0 = {x0:.1f} degrees, kappa = {kappa:.2f}, S = {S:.3f}, R2 = {R2:.4f}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3])) if len(sys.argv) > 2 else main(*simulated())
