"""Order parameters of fitted or measured profiles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.results import Fits, Orientation, Profiles
from nxscatter.science.fitting.models import models
from nxscatter.science.fitting.moments import reflection_angle
from nxscatter.science.fitting.profile_moments import ProfileMoments, background_of
from nxscatter.step import Step

# The definition that may do with the fit of another model, whose parameters have the same meaning.
_STANDS_IN = {"pseudo_voigt_periodic": "pseudo_voigt"}
_WIDE = 2.0  # degrees of theta_Bragg, up to which azimuths are as good as angles from the director: 0.1 % of kappa


class _Row(NamedTuple):
    """One row of `Orientation`."""

    frame: int
    ring: int
    peak: int
    q: float
    hkl: str
    model: str
    method: str
    reflection: str
    S: float
    S_errors: float
    P4: float
    P4_errors: float
    status: str
    reason: str
    elapsed: float


@dataclass(frozen=True)
class OrderParameter(Step):
    """S = <P2> and <P4> of a reflection or of the rods behind it, with standard errors.

    Each fit model is a definition of S. ``pseudo_voigt``, ``pseudo_voigt_periodic`` and ``maier_saupe`` take the fitted
    peak for the distribution of orientations about its own centre: their S is Hermans' orientation factor of the
    reflection's normal. ``kratky`` and ``leadbetter_norris`` give S of the rods behind an equatorial reflection.
    ``moments`` needs no fit, but it needs the background: that of the ring's flanks where the profiles have it, or a
    given level; without either its status is ``background``.

    Errors follow from counting statistics, or with ``uncertainty = "bootstrap"`` from the scatter of profiles of
    resampled pixels, which does not rest on them.
    """

    name = "order_parameter"
    version = 1

    method: tuple[str, ...] = param(
        "", "definitions of S; none: all that the fits allow", default=(), choices=(*models(), "moments")
    )
    reflection: str | float = param(
        "",
        "'meridional', 'equatorial' or the reflection's angle from the director in degrees; '': as each method has it",
        default="",
    )
    background: tuple[float, ...] = param(
        "counts", "level under each ring's profile, for moments: one, or one a ring", default=()
    )
    director: float | None = param(
        "degree",
        "azimuth of the director, for moments; none: from the second harmonic",
        default=None,
        minimum=-180,
        maximum=360,
    )
    min_S: float = param(  # noqa: N815
        "", "S of the second harmonic up to which moments call a ring isotropic", default=0.02, minimum=0, maximum=1
    )
    uncertainty: str = param(
        "",
        "what errors rest on: counting statistics, or the replicates that azimuthal_profiles has made",
        default="counting",
        choices=("counting", "bootstrap"),
    )

    def __post_init__(self) -> None:
        """Check what a single parameter's range cannot say."""
        super().__post_init__()
        for method in self.method:
            self._check(method)
        angle = self._angle()
        if "moments" in self.method and 0 < angle < 90 and self.director is None:
            raise ParameterError(f"{self.name}.director: give it for moments of a reflection at {angle:g} degree")

    def __call__(self, profiles: Profiles, fits: tuple[Fits, ...]) -> Orientation:
        """Return one row a frame, ring, peak and definition; where there is no S the status says why.

        Raises
        ------
        StepError
            When a definition needs a fit that was not made, or the bootstrap replicates that were not made.
        """
        if self.uncertainty == "bootstrap" and profiles.replicates is None:
            raise StepError(
                f"{self.name}.uncertainty = 'bootstrap' needs resampled profiles: "
                "give azimuthal_profiles.replicates = 200"
            )
        fitted = {fit.model: fit for fit in fits}  # the newest of each model
        usable = {method: fitted.get(method, fitted.get(_STANDS_IN.get(method, ""))) for method in models()}
        wanted = self.method or tuple(method for method, fit in usable.items() if fit is not None)
        if not wanted:
            raise StepError(f"{self.name}: there is no fit: add the step fit_pseudo_voigt or fit_maier_saupe before it")
        rows: list[_Row] = []
        for method in wanted:
            self._check(method)
            if method == "moments":
                rows += self._from_profiles(profiles)
                continue
            fit = usable[method]
            if fit is None:
                raise StepError(f"{self.name}: method '{method}' needs a fit: add the step fit_{method} before it")
            rows += self._from_fit(fit, method)
        return _table(rows, self._notes(profiles, wanted))

    def _angle(self) -> float:
        return reflection_angle(self.reflection or "meridional")

    def _label(self) -> str:
        return self.reflection if isinstance(self.reflection, str) else f"{self.reflection:g}"

    def _check(self, method: str) -> None:
        model = models().get(method)
        if model is not None and model.equatorial and self.reflection != "" and self._angle() != 90:
            raise ParameterError(
                f"{self.name}.reflection = {self.reflection!r}: method '{method}' describes an equatorial reflection, "
                "give 'equatorial' or another method"
            )

    def _notes(self, profiles: Profiles, wanted: tuple[str, ...]) -> tuple[str, ...]:
        notes = list(profiles.notes)
        fitted = [model for name, model in models().items() if name in wanted]
        as_it_is = ", ".join(model.name for model in fitted if not model.equatorial)
        if as_it_is and self.reflection != "" and self._angle() != 0:
            notes.append(
                f"{as_it_is}: S of the profile about its own peak, "
                "not of the rods behind a reflection that is not meridional"
            )
        wide = [ring for ring, theta in enumerate(profiles.theta_bragg) if theta > _WIDE]
        notes += [
            f"{profiles.label(ring)}: angles from a director across the beam begin at theta_Bragg = "
            f"{profiles.theta_bragg[ring]:.1f} degrees, the meridian is out of reach: S rests on continuing the profile"
            for ring in wide
        ]
        azimuthal = ", ".join(model.name for model in fitted if not model.polar)
        if wide and azimuthal and profiles.angle == "chi":
            notes.append(
                f"{azimuthal}: takes the azimuth for the angle from the director, which at theta_Bragg = "
                f"{profiles.theta_bragg[wide].max():.1f} degrees it is not: prefer maier_saupe or moments"
            )
        return tuple(notes)

    def _from_fit(self, fits: Fits, method: str) -> Iterator[_Row]:
        """Turn each fitted peak into S and P4, with the errors that its covariance gives."""
        model = models()[method]
        shape = [fits.values[name] for name in model.shape]
        S, P4 = model.averages(*shape)
        gradients = model.derivatives(*shape)  # (parameter, P2 or P4, row)
        at = [list(fits.values).index(name) for name in model.shape]
        full = fits.bootstrap if self.uncertainty == "bootstrap" else fits.covariance
        if full is None:
            raise StepError(f"{self.name}: the fit of {fits.model} knows no replicates: make it again")
        covariance = full[:, at][:, :, at]
        S_errors, P4_errors = np.sqrt(np.einsum("iwr,rij,jwr->wr", gradients, covariance, gradients))
        for row in range(len(fits.frame)):
            yield _Row(
                frame=int(fits.frame[row]),
                ring=int(fits.ring[row]),
                peak=int(fits.peak[row]),
                q=float(fits.q[row]),
                hkl=fits.hkl[row],
                model=fits.model,
                method=method,
                reflection="equatorial" if model.equatorial else self._label(),
                S=float(S[row]),
                S_errors=float(S_errors[row]),
                P4=float(P4[row]),
                P4_errors=float(P4_errors[row]),
                status=fits.status[row],
                reason=fits.reason[row],
                elapsed=float(fits.elapsed[row]),
            )

    def _from_profiles(self, profiles: Profiles) -> Iterator[_Row]:
        """Take moments of every profile."""
        take = ProfileMoments(self._angle(), self.director, self.min_S, self.uncertainty == "bootstrap")
        mean, timed = profiles.intensity.ndim == 2, len(profiles.elapsed) > 0
        for row, found in enumerate(take(profiles, background_of(self.name, profiles, self.background))):
            frame, ring = divmod(row, len(profiles.q))
            yield _Row(
                -1 if mean else frame,
                ring + 1,
                1,
                float(profiles.q[ring]),
                profiles.hkl[ring],
                "",
                "moments",
                self._label() or "meridional",
                found.S,
                found.S_error,
                found.P4,
                found.P4_error,
                found.status,
                found.reason,
                elapsed=float(profiles.elapsed[frame]) if timed and not mean else np.nan,
            )


def _table(rows: list[_Row], notes: tuple[str, ...]) -> Orientation:
    columns: dict[str, Any] = {name: np.array([getattr(row, name) for row in rows]) for name in _Row._fields}
    for name in ("hkl", "model", "method", "reflection", "status", "reason"):
        columns[name] = tuple(str(text) for text in columns[name])
    return Orientation(**columns, notes=notes)
