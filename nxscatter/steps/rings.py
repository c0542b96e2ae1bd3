"""Rings of an image: where they are, how wide, and about which centre."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nxscatter.fields import param
from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry, Image, Rings
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.center_check import mistaken, symmetry_center
from nxscatter.science.pixels.radial import ANNULUS, Peak, RadialProfile, find_peaks, radial_profile, radius_to_q
from nxscatter.science.pixels.ring_center import RingCenter, fit_center
from nxscatter.step import Step

_CENTER_TOLERANCE = 2.0  # pixels between the rings' own centre and the geometry's
_NARROWEST_WINDOW = 30.0  # pixels to look for a ring on either side
_MOST_SEARCHES = 4  # each about the centre that the one before found
_NARROW = 5.0  # pixels, FWHM up to which a peak may be a hot pixel's
_NARROW_WINDOW = 10.0  # pixels to look for a narrow ring on either side
_LARGEST_TILT = 1.0  # degrees, up to which a pattern on the detector is point symmetric
_DARKER = 0.3  # inside a beamstop's edge, relative to outside


@dataclass(frozen=True)
class FindRings(Step):
    """Rings in the mean of valid pixels against radius, and their common centre.

    A ring is a peak that is wide enough, stands clear of the noise and of what lies under it, and is not the edge of
    an unmasked beamstop: the innermost peak when it is dark inside. One that is narrower than 5 pixels, as those of
    calibrants at wide angles are, must be seen all around (hot pixels make narrow peaks, too). Nothing is clipped
    around the circle, so that oriented rings are found like others.

    When the rings have another centre than the geometry, by more than 2 pixels and 3 standard errors, they are
    searched again about their own, where they are sharp; a note then names both centres. A centre up to about 20
    pixels away is found. ``center_y`` and ``center_x`` are in stored pixels, ``fwhm_pixels`` in those of the image.
    """

    name = "rings"
    version = 2
    min_fwhm: float = param("pixel", "least full width at half maximum", default=1.5, above=0)
    min_significance: float = param("", "least prominence in standard deviations", default=8.0, above=0)
    min_prominence: float = param("", "least prominence relative to height", default=0.15, above=0, maximum=1)

    def __call__(self, image: Image, geometry: Geometry) -> Rings:
        """Return the rings, none being a result too (with a note)."""
        header = geometry.binned(image.binning)
        own = self._start(image, header)
        for _ in range(_MOST_SEARCHES):
            profile, peaks = self._search(image, own)
            image = _without(image, profile.hot)
            center = self._own_center(image, own, peaks)
            if center is None or not _differs(center, own):
                break
            own = replace(own, center_y=center.y, center_x=center.x)
        notes = [*image.notes, *geometry.notes]
        if center is not None and _differs(center, header):
            notes.append(
                f"the rings' own centre ({center.x * image.binning:.1f}, {center.y * image.binning:.1f}) is not the "
                f"header's ({geometry.center_x:.1f}, {geometry.center_y:.1f}), x and y in pixels: "
                "profiles about the header's come out distorted (the recipe 'refined' works about the rings' own)"
            )
        if not peaks:
            notes.append("no ring found in the radial profile: give q where you expect one")
        elif center is None:
            notes.append("the rings' own centre is unknown: too few sectors of azimuth show them, or they disagree")

        radius, fwhm = _in_pixels(peaks)
        found = center or RingCenter(*[float("nan")] * 4)
        return Rings(
            q=radius_to_q(header, radius),
            fwhm=radius_to_q(header, radius + fwhm / 2) - radius_to_q(header, np.maximum(radius - fwhm / 2, 0)),
            fwhm_pixels=fwhm,
            height=np.array([peak.prominence for peak in peaks]),
            prominence=np.array([peak.significance for peak in peaks]),
            radial_q=profile.q,
            intensity=profile.intensity,
            intensity_errors=profile.errors,
            center_y=found.y * image.binning,
            center_x=found.x * image.binning,
            center_y_error=found.y_error * image.binning,
            center_x_error=found.x_error * image.binning,
            radius=radius * image.binning,
            notes=tuple(dict.fromkeys(notes)),
            units=image.units,
        )

    def _start(self, image: Image, header: Geometry) -> Geometry:
        """Return where to look for rings first: elsewhere when the header's centre shows none at all."""
        if self._search(image, header)[1] or qspace.tilt(header) > _LARGEST_TILT:
            return header
        symmetric = symmetry_center(image.intensity)
        starts = [] if symmetric is None else [replace(header, center_y=symmetric[0], center_x=symmetric[1])]
        starts += [other for option, other in mistaken(header) if option == "--swap-center"]
        shown = (start for start in starts if self._own_center(image, start, self._search(image, start)[1]) is not None)
        return next(shown, header)

    def _is_ring(self, image: Image, geometry: Geometry, peak: Peak) -> bool:
        """Tell whether a narrow peak is seen all around."""
        (radius,), (fwhm,) = _in_pixels([peak])
        if fwhm >= _NARROW:
            return True
        seen = fit_center(image, geometry, [radius], [max(fwhm, 2 * ANNULUS)], [_NARROW_WINDOW])
        return seen is not None and np.hypot(seen.y - geometry.center_y, seen.x - geometry.center_x) < _NARROW

    def _own_center(self, image: Image, geometry: Geometry, peaks: list[Peak]) -> RingCenter | None:
        if not peaks:
            return None
        radius, widths = _in_pixels(peaks)
        gaps = np.diff(radius, prepend=-np.inf, append=np.inf)
        room = np.minimum(gaps[:-1], gaps[1:]) / 2
        windows = np.minimum(np.maximum(1.5 * widths, _NARROWEST_WINDOW), np.maximum(room, widths))
        return fit_center(image, geometry, radius.tolist(), widths.tolist(), windows.tolist())

    def _search(self, image: Image, geometry: Geometry) -> tuple[RadialProfile, list[Peak]]:
        profile = radial_profile(image, geometry)
        peaks = [
            peak
            for peak in find_peaks(profile.intensity, profile.errors)
            if peak.fwhm * ANNULUS >= self.min_fwhm
            and self._is_ring(image, geometry, peak)
            and peak.significance > self.min_significance
            and peak.prominence > self.min_prominence * peak.height
        ]
        while peaks and _dark_inside(profile, peaks[0]):
            del peaks[0]
        return profile, peaks


def _dark_inside(profile: RadialProfile, peak: Peak) -> bool:
    """Return whether a peak is the edge of a shadow: within two widths it is much darker inside than outside.

    Scattering decays outwards, so that a ring has more beside it on the inside. Two standard deviations are added
    inside, where annuli have few pixels.
    """
    top, reach = round(peak.position), int(np.ceil(2 * peak.fwhm))
    inside = (profile.intensity + 2 * profile.errors)[max(top - reach, 0) : top + 1]
    outside = profile.intensity[top : top + reach + 1]
    return bool(np.nanmin(inside) < _DARKER * np.nanmin(outside))


def _in_pixels(peaks: list[Peak]) -> tuple[Floats, Floats]:
    """Return radius and FWHM of peaks over annuli; annulus 0 has its middle at half its width."""
    radius = np.array([(peak.position + 0.5) * ANNULUS for peak in peaks])
    return radius, np.array([peak.fwhm * ANNULUS for peak in peaks])


def _without(image: Image, index: Ints) -> Image:
    intensity = image.intensity.copy()
    intensity.reshape(-1)[index] = np.nan
    return replace(image, intensity=intensity)


def _differs(center: RingCenter, geometry: Geometry) -> bool:
    off = np.array([center.y - geometry.center_y, center.x - geometry.center_x])
    errors = np.array([center.y_error, center.x_error])
    distance = float(np.hypot(*off))
    return distance > _CENTER_TOLERANCE and bool(np.any(np.abs(off) > 3 * errors))


@dataclass(frozen=True)
class FindRingsVersion1(FindRings):
    """Rings of at least 5 pixels about the header's centre alone: replays the records that were made so."""

    name = "rings"
    version = 1

    def __call__(self, image: Image, geometry: Geometry) -> Rings:
        """Return the rings as version 1 found them."""
        # it took filled pixels for measured ones
        return super().__call__(replace(image, flags=np.zeros_like(image.flags)), geometry)

    def _start(self, image: Image, header: Geometry) -> Geometry:
        return header

    def _is_ring(self, image: Image, geometry: Geometry, peak: Peak) -> bool:
        return True
