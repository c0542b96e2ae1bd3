"""Intensity against azimuth on rings of constant q."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.fields import param
from nxscatter.model import Attachment, Doubt, Exposure, Floats, Ints
from nxscatter.results import Geometry, Image, Profiles, Rings
from nxscatter.results.stages import Pixels
from nxscatter.science.fitting.harmonics import analyse
from nxscatter.science.fitting.pattern_axis import pattern_axis
from nxscatter.science.fitting.profile_data import measured
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.azimuth_bins import AzimuthBins, Sum, own_sum, pyfai_sum
from nxscatter.science.pixels.center_check import center_doubts, check_center
from nxscatter.science.pixels.flanks import Flanks, under_rings
from nxscatter.science.pixels.pixel_bins import FrameSums, PixelBins, frame_times, of_kept
from nxscatter.science.pixels.radial import radius_to_q
from nxscatter.science.pixels.radial_shape import BinCorrection, radial_shape
from nxscatter.science.pixels.resampling import half_samples
from nxscatter.science.pixels.ring_choice import RingChoice, choose_rings, crystal_notes
from nxscatter.steps.framewise import FramewiseStep

_SMALL_SHIFT = 1e-3  # of S, which gaps and pixels bring about anyway
_EMPTY_SHARE = 0.2  # of the bins on the detector, from which on a ring is called too narrow


@dataclass(frozen=True, eq=False)
class RingSums(FrameSums):
    """Sums of the pixels of a frame on rings, in bins of azimuth.

    Attributes
    ----------
    geometry : Geometry
        Of the image, binned as it is.
    rings : RingChoice
        The rings that are asked for.
    flanks : Flanks or None
        The bands beside them, which are summed up in further rows.
    azimuth : AzimuthBins
        The bins.
    numbers : list of ndarray
        Number of the bin of each pixel, row by row.
    label : ndarray of int
        Flat number of the row and bin of each pixel of ``bins``.
    """

    geometry: Geometry
    rings: RingChoice
    flanks: Flanks | None
    azimuth: AzimuthBins
    numbers: list[Ints]
    label: Ints

    @property
    def own(self) -> slice:
        """The rows of the rings themselves."""
        return slice(0, len(self.rings.q))


@dataclass(frozen=True)
class AzimuthalProfiles(FramewiseStep):
    """Mean intensity of the valid pixels of each ring in equal bins of azimuth.

    ``bins`` counts the full circle. Against chi bins are centred on 0, 90 and 180 degrees, the last one lying on
    both sides of the seam; against beta they have the same width and are centred on 0 to 180, the first and the
    last being half a bin.

    Errors come from the measured pixels alone: the square root of the sum of their variances, divided by their
    number. ``method = "pyfai"`` lets pyFAI bin the same pixels, as an independent check.

    ``flanks`` are two bands of q beside each ring, from which the background under each of its bins is taken; they
    must lie clear of the ring's own foot, about 1.2 FWHM from its middle, and of other rings. ``replicates`` adds
    profiles of resampled pixels, from which order parameters can take errors that do not rest on counting statistics.
    """

    name = "azimuthal_profiles"
    version = 2
    takes_rings = True
    trusts_its_input: ClassVar[bool] = False  # as version 1 did: the centre, and bins with a part of their ring
    q: tuple[float, ...] = param("1/angstrom", "ring centres; none: the rings that were found", default=(), above=0)
    tolerance: float = param("", "half-width of a ring, relative to q", default=0.02, above=0, maximum=0.5)
    bins: int = param("", "bins of the full circle, a multiple of 4", default=360, minimum=4)
    angle: str = param(
        "", "azimuth in the detector plane, or angle to the q_parr axis", default="chi", choices=("chi", "beta")
    )
    flanks: tuple[float, float] | None = param(
        "",
        "where the background beside a ring is taken: beginning and end of a band, as distances relative to q",
        default=None,
        above=0,
        maximum=0.9,
    )
    replicates: int = param("", "profiles of resampled pixels, 200 for errors of 5 %", default=0, minimum=0)
    seed: int = param("", "seed of the resampling", default=0, minimum=0)
    frames: str = param("", "one profile of the mean, or one of each frame", default="mean", choices=("mean", "each"))
    method: str = param("", "who sums up the pixels", default="own", choices=("own", "pyfai"))
    hkl: tuple[str, ...] = param("", "reflection of each ring, as a label", default=())
    cif: Attachment | None = param("", "crystal structure that gave q", default=None)

    def __post_init__(self) -> None:
        """Check what a single parameter's range cannot say."""
        super().__post_init__()
        if self.bins % 4:
            raise ParameterError(
                f"{self.name}.bins = {self.bins}: give a multiple of 4 (360, 180, ...), "
                "which puts bin centres on 0 and 90 degrees"
            )
        if self.method == "pyfai" and self.angle != "chi":
            raise ParameterError(f"{self.name}.method = 'pyfai' knows chi only: give angle = 'chi' or method = 'own'")
        if self.replicates and self.frames == "each":
            raise ParameterError(f"{self.name}.replicates are made of the mean image: give frames = 'mean'")
        if self.flanks is not None and not self.tolerance <= self.flanks[0] < self.flanks[1]:
            raise ParameterError(
                f"{self.name}.flanks = {list(self.flanks)}: give two ascending distances beyond the tolerance "
                f"({self.tolerance:g})"
            )

    @property
    def reads_frames(self) -> bool:
        """Whether each frame has profiles of its own."""
        return self.frames == "each"

    @property
    def planned_on(self) -> Sequence[str]:
        """Rings that are given need not be found."""
        return ("image", "geometry") if self.q else ("image", "geometry", "rings")

    def plan(self, image: Pixels, geometry: Geometry, rings: Rings | None = None) -> RingSums:
        """Find the pixels of each ring and bin.

        Raises
        ------
        StepError
            When there is no ring on the detector.
        """
        geometry = geometry.binned(image.binning)
        chosen = choose_rings(
            self.name,
            geometry,
            q=self.q,
            hkl=self.hkl,
            tolerance=self.tolerance,
            angle=self.angle,
            rings=rings,
        )
        flanks = None if self.flanks is None else Flanks.of(geometry, chosen.q, self.flanks, self.angle)
        # The bands beside the rings are summed up as further rings, behind them.
        summed = chosen if flanks is None else flanks.behind(chosen)
        azimuth = AzimuthBins(self.angle, self.bins)
        numbers = [azimuth.number(angle) for angle in summed.angle]
        index, label, measured = _valid_pixels(image, summed, numbers, len(azimuth.centers))
        shape = len(numbers), len(azimuth.centers)
        total: Sum
        if self.method == "pyfai":
            total = pyfai_sum(geometry, index, label, *shape)
        else:
            total = own_sum(label, measured, *shape)
        bins = PixelBins(index, measured, total)
        return RingSums(self.name, image, bins, geometry, chosen, flanks, azimuth, numbers, label)

    def finish(
        self,
        plan: RingSums,
        arrays: tuple[Floats, ...],
        image: Image,
        geometry: Geometry,
        rings: Rings | None = None,
        exposure: Exposure | None = None,
    ) -> Profiles:
        """Return the profiles of the mean, or of each frame with a leading frame axis.

        Raises
        ------
        StepError
            When there is no ring on the detector, or frames and their times differ in number. A ring that is not on
            it has NaN and a note where others are.
        """
        intensity, errors = plan.bins.averages(*of_kept(image, arrays)) if self.reads_frames else plan.bins.mean(image)
        profiles = self._profiles(plan, image, rings, intensity, errors)
        more: dict[str, Any] = {}  # what not every profile has
        notes: list[str] = []
        if not self.trusts_its_input:
            more["doubts"] = self._doubts(plan, image, geometry)
        if self.reads_frames:
            more["elapsed"] = frame_times(self.name, image, exposure)
        if self.replicates:
            replicates = half_samples(plan.bins, image, plan.label, plan.geometry, self.replicates, self.seed)
            correction = self._correction(plan, image)
            if correction is not None:
                replicates, _ = correction.means(replicates, replicates)
            more["replicates"] = replicates[:, plan.own]
        if plan.flanks is not None:
            shares, more["background_scale_errors"], notes = plan.flanks.shares(image, plan.geometry)
            more["background"], more["background_errors"] = under_rings(shares, intensity, errors)
            if self.replicates:
                more["background_replicates"] = under_rings(shares, replicates, replicates)[0]
        if self.angle == "beta":
            more["pattern_axis"], more["pattern_axis_errors"] = self._pattern_axis(image, geometry, rings)
        return replace(profiles, notes=tuple(dict.fromkeys((*profiles.notes, *notes))), **more)

    def _profiles(
        self, plan: RingSums, image: Image, rings: Rings | None, intensity: Floats, errors: Floats
    ) -> Profiles:
        """Return the profiles of means and their standard errors, (..., row, bin), without anything beside them."""
        own, chosen = plan.own, plan.rings
        slope, floor = _variance_law(plan.bins, image)
        lost = np.zeros(slope.shape, dtype=bool)
        correction = self._correction(plan, image)
        if correction is not None:
            intensity, errors = correction.means(intensity, errors)
            slope, floor = correction.variance_law(slope, floor)
            lost = correction.lost
        if self.reads_frames:
            slope *= image.frames
            if image.gain is not None:
                # What was subtracted carries its variance into each frame, not only into their mean.
                floor = np.maximum((errors**2 - slope * intensity).mean(axis=0), 0)
        notes = (
            *image.notes,
            *plan.geometry.notes,
            *(rings.notes if rings is not None else ()),
            *chosen.missing,
            *crystal_notes(self.cif, self.hkl),
            *_narrow_rings(plan.geometry, chosen.q, plan.azimuth, plan.numbers[own]),
        )
        return Profiles(
            angle=self.angle,
            q=chosen.q,
            q_width=chosen.q_width,
            hkl=chosen.hkl,
            bins=plan.azimuth.centers,
            intensity=intensity[..., own, :],
            intensity_errors=errors[..., own, :],
            pixels=np.rint(np.where(lost, 0, plan.bins.valid_count)[own]).astype(np.int64),
            measured=np.rint(np.where(lost, 0, plan.bins.measured_count)[own]).astype(np.int64),
            variance_slope=slope[own],
            variance_floor=floor[own],
            theta_bragg=qspace.two_theta_of(chosen.q, plan.geometry.wavelength) / 2,
            notes=tuple(dict.fromkeys(notes)),
            auto=chosen.auto,
            units=image.units,
        )

    def _correction(self, plan: RingSums, image: Image) -> BinCorrection | None:
        return None if self.trusts_its_input else correct_bins(plan, image)

    def _doubts(self, plan: RingSums, image: Image, geometry: Geometry) -> tuple[Doubt, ...]:
        """Compare the geometry's centre with the rings' own, and S about the one with S about the other."""
        check = check_center(image, plan.geometry, plan.rings.q.tolist())
        if not check.differs or check.far or check.ellipse:
            return center_doubts(check, plan.geometry, image.binning)
        assert check.center is not None
        own = replace(
            geometry, center_y=check.center.y * image.binning, center_x=check.center.x * image.binning, doubts=()
        )
        q = tuple(plan.rings.q.tolist())
        simple = replace(self, q=q, angle="chi", frames="mean", flanks=None, replicates=0, hkl=(), cif=None)
        found = [
            analyse(made.bins, measured(made))
            for made in (simple._alone(image, where) for where in (replace(geometry, doubts=()), own))
        ]
        moved = np.abs(found[0].S - found[1].S)
        worse = [
            value
            for value, shift, error in zip(q, moved, found[0].S_error, strict=True)
            if shift > max(error, _SMALL_SHIFT)
        ]
        return center_doubts(check, plan.geometry, image.binning, worse)

    def _alone(self, image: Image, geometry: Geometry) -> Profiles:
        """Return the profiles of the mean image, without anything beside them."""
        plan = self.plan(image.pixels, geometry)
        return self._profiles(plan, image, None, *plan.bins.mean(image))

    def _pattern_axis(self, image: Image, geometry: Geometry, rings: Rings | None) -> tuple[Floats, Floats]:
        """Return where the pattern stands, which profiles against beta cannot tell, from the mean against chi."""
        step = replace(self, angle="chi", frames="mean", flanks=None, replicates=0)
        plan = step.plan(image.pixels, geometry, rings)
        return pattern_axis(step._profiles(plan, image, rings, *plan.bins.mean(image)))


def correct_bins(plan: RingSums, image: Image) -> BinCorrection | None:
    """Return how the bins that see a part of their ring's width are corrected; None where all are whole."""
    rows, bins = len(plan.numbers), len(plan.azimuth.centers)
    label, index = plan.label, plan.bins.index
    on_detector = np.stack([np.bincount(number, minlength=bins) for number in plan.numbers])
    valid = np.bincount(label, minlength=rows * bins).reshape(rows, bins)
    offset, scale, lost = np.zeros((rows, bins)), np.ones((rows, bins)), np.zeros((rows, bins), dtype=bool)
    for row, (q, width) in enumerate(zip(plan.rings.q.tolist(), plan.rings.q_width.tolist(), strict=True)):
        whole = plan.azimuth.on_detector(plan.geometry, q - width) & plan.azimuth.on_detector(plan.geometry, q + width)
        partial = (valid[row] > 0) & ((valid[row] < on_detector[row]) | ~whole)
        if not partial.any():
            continue
        member = np.flatnonzero(label // bins == row)
        number = label[member] % bins
        place = (qspace.pixels(plan.geometry, index[member]).q - q) / width
        values = np.asarray(image.intensity.reshape(-1)[index[member]], dtype=float)
        pixels_across = 2 * width / radius_to_q(plan.geometry, 1.0)
        shape = radial_shape(values, place, number, partial, float(pixels_across))
        if shape is not None:
            counted = np.maximum(valid[row], 1)
            offset[row] = np.bincount(number, shape.alpha, bins) / counted
            scale[row] = np.where(valid[row] > 0, np.bincount(number, shape.beta, bins) / counted, 1.0)
            lost[row] = shape.lost
    if not (lost.any() or offset.any()):
        return None
    return BinCorrection(offset, np.where(lost | (scale <= 0), 1.0, scale), lost)


def _valid_pixels(image: Pixels, chosen: RingChoice, numbers: list[Ints], bins: int) -> tuple[Ints, Ints, int]:
    """Return the rings' valid pixels, the number of each one's ring and bin, and how many are measured.

    Measured pixels come first, then filled ones, both sorted by ring and bin.
    """
    index = np.concatenate(chosen.index)
    label = np.concatenate([ring * bins + number for ring, number in enumerate(numbers)])
    size = len(numbers) * bins
    valid = np.flatnonzero(image.valid_at(index))
    index, label = index[valid], label[valid]
    filled = image.flags.reshape(-1)[index] != 0
    # numpy sorts short integers by radix, ten times faster than long ones.
    key = (label + filled * size).astype(np.min_scalar_type(2 * size))
    order = np.argsort(key, kind="stable")
    return index[order], label[order], int(np.count_nonzero(~filled))


def _narrow_rings(geometry: Geometry, rings: Floats, bins: AzimuthBins, numbers: list[Ints]) -> list[str]:
    """Return a warning for each ring that leaves more than 20 % of its bins on the detector without a pixel."""
    notes = []
    for q, number in zip(rings, numbers, strict=True):
        here = bins.on_detector(geometry, q)
        empty = np.count_nonzero(here & (np.bincount(number, minlength=len(here)) == 0))
        if empty > _EMPTY_SHARE * np.count_nonzero(here):
            enough = bins.tolerance_to_fill(geometry, q)
            remedy = f"tolerance = {enough:g} would fill them" if np.isfinite(enough) else "give fewer bins"
            notes.append(
                f"the ring at q = {q:.4g} 1/angstrom is too narrow for bins of {bins.width:g} degrees: {empty} of "
                f"the {np.count_nonzero(here)} bins on the detector have no pixel; {remedy}"
            )
    return notes


def _variance_law(bins: PixelBins, image: Image) -> tuple[Floats, Floats]:
    """Return slope and floor of the variance of a bin's mean as a function of intensity.

    A pixel without counts may have no gain: it gets that of its ring.

    Returns
    -------
    slope, floor : ndarray (ring, bin)
        NaN without a measured pixel, the slope also on a ring without any count.
    """
    index, total, measured = bins.index[: bins.measured], bins.total, bins.measured_count
    gain, variance = image.gain_at(index), image.variance_at(index)
    known = np.isfinite(gain)
    counted = total(known.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        gains = total(np.where(known, gain, 0))
        ring = gains.sum(axis=1, keepdims=True) / counted.sum(axis=1, keepdims=True)
        slope = (gains + np.where(counted < measured, (measured - counted) * ring, 0)) / measured**2
        counting = np.where(known, gain * image.intensity.reshape(-1)[index], 0)
        all_of_it, rest = total(variance) / measured**2, total(variance - counting) / measured**2
    # What is left by rounding, or by a filled pixel in a binned one, is no variance of its own.
    return slope, np.where(rest > 1e-6 * all_of_it, rest, np.where(measured > 0, 0.0, np.nan))


@dataclass(frozen=True)
class AzimuthalProfilesVersion1(AzimuthalProfiles):
    """Profiles about whatever centre is given, of whatever part of a bin is there: replays records made so."""

    name = "azimuthal_profiles"
    version = 1
    trusts_its_input: ClassVar[bool] = True
