"""Do rings lie about the geometry's centre? The check that runs whenever profiles are made of them.

A centre that is off by a few pixels moves a ring out of its band of q on one side: what is left is an azimuthal
profile of the offset, with small errors and a wrong order parameter. The rings tell their own centre, from where
each lies in sectors of azimuth (the first harmonic of the radial position), with a covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nxscatter.model import RASTER_AXES, Doubt, Floats
from nxscatter.results import Geometry, Image
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.radial import Peak, find_peaks, pixel_size, radii, radius_to_q, variance_per_intensity
from nxscatter.science.pixels.ring_center import (
    RingCenter,
    fit_center,
    fit_ellipse,
    measured_pixels,
    one_in,
    sectors_that_see,
)

FAR = 2.0  # pixels off, from which on a ring of common width has left its band on one side
NEAR = 0.5  # pixels off, up to which gaps and the pixels themselves may move the rings' centre
SIGNIFICANT = 4.0  # standard errors, which chance exceeds in less than one image of a thousand
_REACH = 40.0  # pixels on either side of where a ring is looked for
_NARROWEST_WINDOW = 30.0  # pixels to look for a ring on either side, so that a centre 20 pixels off is found
_SOME = 4e4  # pixels of a ring that tell its place to a few hundredths of a pixel; all only where these do not
_TRIES = 3  # each about the centre that the one before found, where rings are sharper
_COARSE = 128  # blocks along the longer side of an image in which its symmetry is looked for
_OVERLAP = 0.2  # share of the valid blocks that must have a partner
_ALIKE = 10.0  # standard deviations that the correlation of noise has, about sqrt(2/pairs)
_WELL_KNOWN = 0.3  # pixels, standard error
_MANY = 24  # sectors of 10 degrees
_AS_SHARP = 0.9
_SHARPER = 2.0  # how far rings of the right geometry stand out, relative to those of a wrong one
_ROUND = 1.0  # pixels, up to which a ring that is an ellipse is as good as a circle
_LARGEST_TILT = 1.0  # degrees, up to which a pattern on the detector is point symmetric


@dataclass(frozen=True)
class CenterCheck:
    """What rings say of the centre.

    Attributes
    ----------
    center : RingCenter or None
        Their own centre, in pixels of the image; None when they do not determine one.
    shift : float
        Distance from the geometry's centre to it, pixels; NaN without one.
    significance : float
        The same in standard errors along its direction.
    remedy : str
        The option that puts the rings' centre where it is, when it is the geometry's with x and y swapped or of a
        flipped image; else "".
    ellipse : float
        By how many pixels the rings are ellipses about their own centre, which a turned detector makes of them; 0
        where that is not sure.
    no_circle : bool
        Whether most sectors of azimuth see a ring, but at radii that belong to no common centre.
    """

    center: RingCenter | None
    shift: float = float("nan")
    significance: float = float("nan")
    remedy: str = ""
    ellipse: float = 0.0
    no_circle: bool = False

    @property
    def differs(self) -> bool:
        """Whether the rings' centre is another one, beyond chance and what pixels do."""
        return self.shift > NEAR and self.significance > SIGNIFICANT

    @property
    def far(self) -> bool:
        """Whether it is so far off that no profile can be trusted."""
        return self.differs and self.shift > FAR


def check_center(image: Image, geometry: Geometry, q: Sequence[float]) -> CenterCheck:
    """Compare the centre of the geometry with that of the rings at ``q``.

    Parameters
    ----------
    image : Image
        Mean image; only plainly measured pixels count, not those that caving has filled.
    geometry : Geometry
        Geometry of that image (binned as it is).
    q : sequence of float
        Rings, 1/angstrom; one without a peak near it takes no part.
    """
    if not variance_per_intensity(image) > 0:  # less than nothing was measured, and nothing weighs anything
        return CenterCheck(None)
    found = _own_center(image, geometry, q, _SOME) or _own_center(image, geometry, q, np.inf)
    if found is None and qspace.tilt(geometry) < _LARGEST_TILT:
        symmetric = symmetry_center(np.where(image.flags == 0, image.intensity, np.nan))
        if symmetric is not None:
            found = _own_center(image, replace(geometry, center_y=symmetric[0], center_x=symmetric[1]), q, np.inf)
    if found is None or max(found.y_error, found.x_error) > _WELL_KNOWN or compared(found, geometry).far:
        # rings may have some centre about a geometry of another image: they are sharp about the right one
        found = _of_mistaken(image, geometry, q, found) or found
    if found is None:
        looks = _looks(image, geometry, q, _SOME)
        seen = sectors_that_see(image, geometry, *looks, most_pixels=_SOME)
        return CenterCheck(None, no_circle=seen > _MANY)
    own = replace(geometry, center_y=found.y, center_x=found.x)
    looks = _looks(image, own, q, _SOME)
    amplitude, error = fit_ellipse(image, own, *looks, most_pixels=_SOME)
    sure = amplitude > max(_ROUND, SIGNIFICANT * error)
    return replace(compared(found, geometry), ellipse=amplitude if sure else 0.0)


def center_doubts(
    check: CenterCheck, geometry: Geometry, binning: int = 1, rings: Sequence[float] = ()
) -> tuple[Doubt, ...]:
    """Return why profiles about a geometry's centre cannot be trusted; centres are told in stored pixels.

    Parameters
    ----------
    check : CenterCheck
        What the rings say.
    geometry : Geometry
        Geometry of the image that was checked.
    binning : int
        Stored pixels along one side of a pixel of that image.
    rings : sequence of float
        Where the centre is not far off, the rings (1/angstrom) for which it matters all the same.
    """
    doubts = []
    if check.center is not None and (check.far or rings):
        own, given = (
            f"({place.x * binning:.1f}, {place.y * binning:.1f})" for place in (check.center, _place(geometry))
        )
        remedy = (
            f"they fit with {check.remedy}: give it"
            if check.remedy
            else "use the recipe 'refined', or give geometry.center_x and center_y"
        )
        reason = (
            f"the rings' own centre {own} is {check.shift * binning:.1f} pixels from the centre that is used, {given}, "
            f"x and y: {remedy}"
        )
        doubts = [Doubt("off_centre", reason)] if check.far else [Doubt("off_centre", reason, q) for q in rings]
    if check.ellipse:
        reason = (
            f"the rings are ellipses, by {check.ellipse * binning:.1f} pixels: the detector is turned in a way that "
            "the geometry does not say, or its pixels are not square; calibrate it and give --poni FILE"
        )
        doubts.append(Doubt("off_geometry", reason))
    if check.no_circle:
        reason = (
            "what is seen at the rings is no circle about any centre: the detector is turned, or the geometry is "
            "another file's; calibrate it and give --poni FILE"
        )
        doubts.append(Doubt("off_geometry", reason))
    return tuple(doubts)


def _place(geometry: Geometry) -> RingCenter:
    return RingCenter(geometry.center_y, geometry.center_x, 0.0, 0.0)


def _of_mistaken(image: Image, geometry: Geometry, q: Sequence[float], found: RingCenter | None) -> RingCenter | None:
    """Return the rings' centre where a swapped centre or a flipped image makes them stand out far more."""
    own = geometry if found is None else replace(geometry, center_y=found.y, center_x=found.x)
    sharpness = max(_sharpness(image, geometry, q), _sharpness(image, own, q))
    for _, other in mistaken(geometry):
        sharper = _sharpness(image, other, q) / sharpness if sharpness else np.inf
        center = _own_center(image, other, q, np.inf) if sharper > _AS_SHARP else None
        if center is None:
            continue
        # one that needs no shift besides explains as sharp rings better than a shifted centre does
        shift = np.hypot(center.y - other.center_y, center.x - other.center_x)
        if sharper > _SHARPER or shift < FAR:
            return center
    return None


def _sharpness(image: Image, geometry: Geometry, q: Sequence[float]) -> float:
    """Return how far the rings at ``q`` stand out of the radial profile, in all."""
    peaks = (_nearest_peak(image, geometry, _radius(geometry, value), _REACH, np.inf) for value in q)
    return sum(peak.prominence for peak in peaks if peak is not None)


def mistaken(geometry: Geometry) -> list[tuple[str, Geometry]]:
    """Return the geometries that the given one may stand for, each with the option that says so."""
    swapped = replace(
        geometry,
        center_y=geometry.center_x * geometry.pixel_size_x / geometry.pixel_size_y,
        center_x=geometry.center_y * geometry.pixel_size_y / geometry.pixel_size_x,
    )
    upside_down, mirrored = geometry.rows - geometry.center_y, geometry.columns - geometry.center_x
    across, along = RASTER_AXES[geometry.orientation]
    orientations = {axes: number for number, axes in RASTER_AXES.items()}
    flips = {
        "flip-y": (upside_down, geometry.center_x, orientations[across, -along]),
        "flip-x": (geometry.center_y, mirrored, orientations[-across, along]),
        "flip-xy": (upside_down, mirrored, orientations[-across, -along]),
    }
    flipped = {
        f"--orient {flip}": replace(geometry, center_y=y, center_x=x, orientation=number)
        for flip, (y, x, number) in flips.items()
    }
    return [("--swap-center", swapped), *flipped.items()]


def _own_center(image: Image, geometry: Geometry, q: Sequence[float], most: float) -> RingCenter | None:
    """Return the centre of the rings, looked for about the geometry's, then about the one that was found.

    ``most`` is about how many pixels of each ring are looked at.
    """
    found: RingCenter | None = None
    about = geometry
    for _ in range(_TRIES):
        looks = _looks(image, about, q, most)
        center = fit_center(image, about, *looks, most_pixels=most)
        if center is None:
            break
        moved = np.hypot(center.y - about.center_y, center.x - about.center_x)
        found, about = center, replace(about, center_y=center.y, center_x=center.x)
        if moved < NEAR:
            break
    return found


def symmetry_center(intensity: Floats) -> tuple[float, float] | None:
    """Return the point about which an image is most like itself turned by 180 degrees, to a few pixels.

    Small-angle scattering is (Friedel's law), and needs no ring for it. The image is compared with its inversion about
    every point at once, over the pixels that are valid in both: the correlation coefficient of masked images by
    Fourier transforms (Padfield 2012, doi:10.1109/TIP.2011.2181402).

    Parameters
    ----------
    intensity : ndarray (rows, columns)
        NaN where invalid.

    Returns
    -------
    (y, x) or None
        In pixels, 0.5 = middle of pixel 0; None when no point stands out of what noise does.
    """
    step = max(1, -(-max(intensity.shape) // _COARSE))
    rows, columns = (size // step * step for size in intensity.shape)
    blocks = intensity[:rows, :columns].reshape(rows // step, step, columns // step, step)
    valid = np.isfinite(blocks)
    pixels = np.count_nonzero(valid, axis=(1, 3))
    mask = pixels > 0
    # a square root makes all counts equally uncertain, so that the bright middle does not decide alone
    values = np.sqrt(np.maximum(np.where(valid, blocks, 0).sum(axis=(1, 3)), 0) / np.maximum(pixels, 1)) * mask
    values -= mask * values.sum() / max(np.count_nonzero(mask), 1)

    shape = 2 * mask.shape[0], 2 * mask.shape[1]
    of_values, of_mask, of_squares = (np.fft.rfft2(each, shape) for each in (values, mask, values**2))
    pairs, cross, total, products = (
        np.fft.irfft2(one * other, shape)
        for one, other in (
            (of_mask, of_mask),
            (of_values, of_mask),
            (of_squares, of_mask),
            (of_values, of_values),
        )
    )
    enough = pairs > _OVERLAP * np.count_nonzero(mask)
    expected = cross**2 / np.where(enough, pairs, 1)
    spread = total - expected
    enough &= spread > 1e-6 * spread.max()
    likeness = np.where(enough, (products - expected) / np.where(enough, spread, 1), -1)
    # one arc is symmetric about its own middle, too: the more pairs are alike, the better
    score = likeness * np.sqrt(np.maximum(pairs, 0) / 2)
    best = np.unravel_index(np.argmax(score), score.shape)
    if score[best] < _ALIKE:
        return None
    return (int(best[0]) / 2 + 0.5) * step, (int(best[1]) / 2 + 0.5) * step


def compared(center: RingCenter, geometry: Geometry) -> CenterCheck:
    """Compare a centre (pixels of the image) with that of the geometry of the same image."""
    off = np.array([center.y - geometry.center_y, center.x - geometry.center_x])
    shift = float(np.hypot(*off))
    errors = np.array([center.y_error, center.x_error])
    along = float(np.hypot(*(off / shift * errors))) if shift else 0.0
    near = max(FAR, shift / 5)  # what the header may be off besides
    remedies = [
        option
        for option, other in mistaken(geometry)
        if np.hypot(center.y - other.center_y, center.x - other.center_x) < near
    ]
    found = CenterCheck(center, shift, shift / along if along else 0.0)
    return replace(found, remedy=remedies[0]) if remedies and found.far else found


def _looks(
    image: Image, geometry: Geometry, q: Sequence[float], most: float
) -> tuple[list[float], list[float], list[float]]:
    """Return radii, FWHM and windows (pixels) of the rings that show a peak near their q."""
    expected = np.sort([_radius(geometry, value) for value in q if np.isfinite(_radius(geometry, value))])
    gaps = np.diff(expected, prepend=-np.inf, append=np.inf)
    room = np.minimum(gaps[:-1], gaps[1:]) / 2
    found: list[Peak] = []
    windows: list[float] = []
    for radius, free in zip(expected.tolist(), room.tolist(), strict=True):
        peak = _nearest_peak(image, geometry, radius, min(_REACH, free), most)
        if peak is not None:
            found.append(peak)
            windows.append(min(max(1.5 * peak.fwhm, _NARROWEST_WINDOW), max(free, peak.fwhm)))
    return [peak.position for peak in found], [peak.fwhm for peak in found], windows


def _radius(geometry: Geometry, q: float) -> float:
    two_theta = np.radians(qspace.two_theta_of(q, geometry.wavelength))
    return float(np.tan(two_theta) * geometry.distance / pixel_size(geometry)) if two_theta < np.pi / 2 else np.inf


def _nearest_peak(image: Image, geometry: Geometry, radius: float, reach: float, most: float) -> Peak | None:
    """Return the most prominent peak of the radial profile within ``reach`` of where a ring should be, in pixels."""
    if not np.isfinite(radius):
        return None
    low = max(radius - reach, 0.0)
    every = one_in(low, radius + reach, most)
    inner, outer = radius_to_q(geometry, np.array([low, radius + reach])).tolist()
    index = qspace.pixels_between(geometry, inner, outer, every)
    index, values = measured_pixels(image, index)
    if not len(index):
        return None
    step = np.floor(radii(geometry, index) - low).astype(np.int64).clip(0)
    pixels = np.bincount(step)
    total = np.bincount(step, values)
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = total / pixels
        errors = np.sqrt(np.maximum(total, 0) * variance_per_intensity(image)) / pixels
    peaks = [peak for peak in find_peaks(_smooth(curve), errors) if peak.significance > SIGNIFICANT]
    if not peaks:
        return None
    best = max(peaks, key=lambda peak: peak.prominence)
    return replace(best, position=low + best.position + 0.5)


def _smooth(curve: Floats) -> Floats:
    """Return the mean of three neighbours, which takes the saw of single annuli away; NaN at either end."""
    smooth = np.full(len(curve), np.nan)
    if len(curve) > 2:
        smooth[1:-1] = (curve[:-2] + curve[1:-1] + curve[2:]) / 3
    return smooth
