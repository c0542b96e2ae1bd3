"""Lines fitted to azimuthal profiles, with standard errors and a status for every ring: one step a fit model.

The steps are made from the models: ``FitMaierSaupe``, called ``fit_maier_saupe``, from the model ``maier_saupe``, and
likewise those of other packages' models.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.model import Floats
from nxscatter.plain import Json
from nxscatter.results import Fits, Profiles
from nxscatter.science.fitting.line_model import LineModel
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import models
from nxscatter.science.fitting.peakfit import Window
from nxscatter.science.fitting.profile_data import measured, tilts, verdicts
from nxscatter.science.fitting.ring_analysis import Block, RingFitter
from nxscatter.step import Step

_BLOCK = 100_000  # numbers of one block of profiles, which bounds the memory


@dataclass(frozen=True)
class LineFit(Step):
    """Base of the fits: one line, fitted to every ring of every frame.

    Fits are made on the profile as it is: bins without measured pixels are left out, bins without counts are
    data. Weights follow the model (``variance_slope*model + variance_floor``) until no parameter moves by 0.01
    of its standard error, which is the Poisson maximum likelihood for plain counts; standard errors come from the
    last weights. A ring is first tested for orientation with the harmonics 2 and 4 of its angle; an isotropic one
    has no peak parameters. The two maxima 180 degrees apart are one peak.

    The background has a slope only where a single peak is seen in a window: against beta, or within ``width``;
    it counts from x0. On a full circle it is fixed at 0, with NaN as its error.
    """

    model: ClassVar[LineModel]

    width: float | None = param(
        "degree",
        "full width about a peak of what is fitted, none: all of the profile",
        default=None,
        above=0,
        maximum=180,
    )
    beta_target: float | None = param(
        "degree",
        "where the peak is expected, within 45 degrees; none: the maximum",
        default=None,
        minimum=-180,
        maximum=360,
    )
    drift: str = param(
        "",
        "'onefold' multiplies the profile by 1 + c cos(chi) + s sin(chi), for a wrong centre",
        default="none",
        choices=("none", "onefold"),
    )
    peaks: int | str = param(
        "", "peaks in half a circle, or 'auto' for those that stand out", default=1, choices=(1, 2, 3, 4, "auto")
    )
    min_S: float = param(  # noqa: N815
        "", "S of the second harmonic up to which a ring is isotropic", default=0.02, minimum=0, maximum=1
    )
    share: tuple[str, ...] = param(
        "",
        "parameters that all rings and frames have in common: the centre, the shape",
        default=(),
    )

    def __post_init__(self) -> None:
        """Check what a single parameter's range cannot say."""
        super().__post_init__()
        if self.peaks != 1 and self.beta_target is not None:
            raise ParameterError(f"{self.name}.beta_target chooses one peak of several: give it with peaks = 1")
        if self.share and self.peaks != 1:
            raise ParameterError(f"{self.name}.share is for a single peak: give peaks = 1")

    def __call__(self, profiles: Profiles) -> Fits:
        """Fit all profiles; what cannot be fitted has NaN and says why.

        Raises
        ------
        StepError
            When ``drift = "onefold"`` is asked of profiles against beta, where it is not defined.
        """
        if self.drift == "onefold" and profiles.angle != "chi":
            raise StepError(f"{self.name}: drift = 'onefold' needs the full circle, give the profiles angle = 'chi'")
        window = Window(
            width=self.width,
            slope=self.peaks == 1 and (profiles.angle == "beta" or (self.width or 180.0) < 180),
            onefold=self.drift == "onefold",
        )
        shared = tuple(dict.fromkeys(self.share))
        fitter = RingFitter(self.model, window, self.beta_target, self.peaks, self.min_S, profiles.bins, shared)
        data = measured(profiles)
        theta_bragg, known = np.tile(tilts(profiles), len(profiles.stack)), verdicts(profiles)
        # Resampled rings are fitted one by one, which tells nothing of parameters in common.
        resampled = None if self.share else profiles.replicates
        size = len(data.y) if self.share else max(1, _BLOCK // len(profiles.bins))
        blocks = []
        for first in range(0, len(data.y), size):
            part = slice(first, first + size)
            # Replicates are those of the mean, whose rows are its rings.
            replicates = None if resampled is None else resampled[:, part]
            block = fitter(data.rows(part), theta_bragg[part], known[part], replicates)
            blocks.append(block._replace(curves=block.curves[: max(0, len(profiles.q) - first)].copy()))
        auto: dict[str, Json] = {} if self.width is not None else {"width": 180.0}
        if self.peaks == "auto":
            auto["peaks"] = [len(found) for found in blocks[0].peaks[: len(profiles.q)]]
        return _table(profiles, fitter, blocks, auto, scattered=resampled is not None)


def fit_step(model: str) -> type[LineFit]:
    """Return the step that fits the model of that name.

    Raises
    ------
    ParameterError
        When there is no such model.
    """
    known = models()
    if model not in known:
        raise ParameterError(f"unknown fit model '{model}': use one of {', '.join(known)}")
    return _step_of(known[model])


def __getattr__(name: str) -> type[LineFit]:
    """Find a step by the name of its class, for imports and for pickles."""
    for model in models():
        if name == _class_name(model):
            return fit_step(model)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def _class_name(model: str) -> str:
    return "Fit" + "".join(word.capitalize() for word in model.split("_"))


@cache
def _step_of(model: LineModel) -> type[LineFit]:
    """Make the step that fits a model; what it says of itself are the words of the model."""
    share = next(item for item in fields(LineFit) if item.name == "share")
    body = {
        "__module__": __name__,
        "__doc__": type(model).__doc__,
        "__annotations__": {"share": share.type},
        "name": f"fit_{model.name}",
        "version": model.version,
        "model": model,
        "share": param("", share.metadata["doc"], default=(), choices=("x0", *model.shape)),
    }
    return dataclass(frozen=True)(type(_class_name(model.name), (LineFit,), body))


def _table(
    profiles: Profiles, fitter: RingFitter, blocks: list[Block], auto: dict[str, Json], *, scattered: bool
) -> Fits:
    """Write the outcome of all blocks as one table."""
    peaks = [found for block in blocks for found in block.peaks]
    rings = len(profiles.q)
    counts = np.array([len(found) for found in peaks])
    profile = np.repeat(np.arange(len(peaks)), counts)
    frame, ring = np.divmod(profile, rings)
    rows = [peak for found in peaks for peak in found]
    mean = profiles.intensity.ndim == 2

    columns = list(fitter.names)
    at = columns.index("x0")
    order = [*range(at + 1), at, *range(at + 1, len(columns))]  # x0_S follows x0, with the same error
    values = np.array([row.values for row in rows])[:, order]
    covariance, scatter = (
        np.array([getattr(row, name) for row in rows])[:, order][:, :, order] for name in ("covariance", "scatter")
    )
    names = [*columns[: at + 1], "x0_S", *columns[at + 1 :]]
    values[:, at] = values[:, at] % 180 if profiles.angle == "beta" else -wrap(-values[:, at])
    values[:, at + 1] = wrap(values[:, at], 90)

    def harmonic(name: str) -> Floats:
        return np.concatenate([getattr(block.harmonics, name) for block in blocks])[profile]

    return Fits(
        model=fitter.model.name,
        angle=profiles.angle,
        frame=np.full(len(rows), -1) if mean else frame,
        ring=ring + 1,
        peak=np.concatenate([np.arange(1, count + 1) for count in counts]),
        q=profiles.q[ring],
        hkl=tuple(profiles.hkl[index] for index in ring),
        values=dict(zip(names, values.T, strict=True)),
        errors=dict(zip(names, np.sqrt(np.einsum("rpp->pr", covariance)), strict=True)),
        covariance=covariance,
        bootstrap=scatter if scattered else None,
        R2=np.array([row.R2 for row in rows]),
        chi2_red=np.array([row.chi2_red for row in rows]),
        S_harmonic=harmonic("S"),
        S_harmonic_error=harmonic("S_error"),
        isotropy_p=harmonic("p"),
        status=tuple(row.status for row in rows),
        reason=tuple(row.reason for row in rows),
        theta_bragg=profiles.theta_bragg[ring],
        bins=profiles.bins,
        profile=profiles.stack[0],
        profile_errors=profiles.stack_errors[0],
        fitted=np.concatenate([block.curves for block in blocks]),
        elapsed=profiles.elapsed[frame] if len(profiles.elapsed) else np.full(len(rows), np.nan),
        notes=profiles.notes,
        auto=auto,
        units=profiles.units,
        parameter_units=fitter.model.units,
    )
