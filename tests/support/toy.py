"""Toy steps with a plain answer, and a small container made with them: what the tests of the machinery run.

The steps are known by being imported. They are not installed, so that no list of steps has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter import step
from nxscatter.fields import param
from nxscatter.model import Attachment, Beam, Detector, Exposure, Origin, Sample, Scan
from nxscatter.results import Fits, Geometry, Image, Orientation, Profiles, Rings
from nxscatter.results.stages import FrameReader
from nxscatter.step import Step
from nxscatter.store import container
from nxscatter.store.writer import creating
from nxscatter.workflow import runner

ROWS, COLUMNS, FRAMES = 24, 30, 3
STATES = ("ok", "isotropic")


@dataclass(frozen=True)
class ToyGeometry(Step):
    """The detector's own geometry."""

    name = "toy_geometry"
    version = 1

    def __call__(self, beam: Beam, detector: Detector) -> Geometry:
        return Geometry(
            wavelength=beam.wavelength,
            distance=detector.distance,
            pixel_size_y=detector.pixel_size_y,
            pixel_size_x=detector.pixel_size_x,
            center_y=detector.center_y,
            center_x=detector.center_x,
            rows=detector.rows,
            columns=detector.columns,
        )


@dataclass(frozen=True)
class ToyMasking(Step):
    """The mean image without the masked pixels and without counts above a threshold."""

    name = "toy_masking"
    version = 1
    threshold: float = param("counts", "highest count", default=1e9, above=0)
    mask: tuple[Attachment, ...] = param("", "further masks", default=())

    def __call__(self, raw: FrameReader, masks: tuple[Attachment, ...]) -> Image:
        mean = np.mean([frame.astype(float) for frame in raw], axis=0)
        bad = mean > self.threshold
        for one in (*masks, *self.mask):
            bad = bad | (one.content != 0)
        image = np.where(bad, np.nan, mean).astype(np.float32)
        return Image(
            intensity=image,
            flags=bad.astype(np.uint16),
            frames=raw.shape[0],
            notes=("careful",),
            auto={"threshold": float(mean.max())},
        )


@dataclass(frozen=True)
class ToyCaving(Step):
    """The image with a constant in place of its gaps."""

    name = "toy_caving"
    version = 1
    fill: float = param("counts", "what fills a gap", default=7.0)

    def __call__(self, image: Image) -> Image:
        gap = np.isnan(image.intensity)
        return Image(
            intensity=np.where(gap, self.fill, image.intensity + 1).astype(np.float32),
            flags=np.where(gap, 1 << 15, image.flags).astype(np.uint16),
            frames=image.frames,
        )


@dataclass(frozen=True)
class ToyProfiles(Step):
    """Rows of the image as profiles."""

    name = "toy_profiles"
    version = 1
    q: tuple[float, ...] = param("1/angstrom", "ring centres", default=(0.05, 0.07), above=0)
    scale: float | None = param("", "factor", default=None)

    def __call__(self, image: Image, geometry: Geometry, rings: Rings | None = None) -> Profiles:
        rings_, bins = len(self.q), np.arange(COLUMNS) * 12.0 - 174
        intensity = np.nan_to_num(image.intensity[:rings_].astype(float)) * (self.scale or 1.0)
        one = np.ones((rings_, COLUMNS))
        return Profiles(
            angle="chi",
            q=np.asarray(self.q),
            q_width=0.02 * np.asarray(self.q),
            hkl=("",) * rings_,
            bins=bins,
            intensity=intensity,
            intensity_errors=np.sqrt(intensity),
            pixels=one.astype(int),
            measured=one.astype(int),
            variance_slope=one,
            variance_floor=0 * one,
            theta_bragg=np.degrees(np.arcsin(np.asarray(self.q) * geometry.wavelength / (4 * np.pi))),
        )


@dataclass(frozen=True)
class ToyFit(Step):
    """The mean of each profile as its fit."""

    name = "toy_fit"
    version = 1

    def __call__(self, profiles: Profiles) -> Fits:
        rows = len(profiles.q)
        level = profiles.intensity.mean(axis=1)
        ring = np.arange(rows) + 1
        values = {"x0": 10.0 * ring, "I": level}
        nan = np.full(rows, np.nan)
        return Fits(
            model="pseudo_voigt",
            angle="chi",
            frame=np.full(rows, -1),
            ring=ring,
            peak=np.ones(rows, dtype=int),
            q=profiles.q,
            hkl=profiles.hkl,
            values=values,
            errors={"x0": nan, "I": 0.1 * level},
            covariance=np.zeros((rows, 2, 2)),
            R2=nan,
            chi2_red=nan,
            S_harmonic=0.1 * ring,
            S_harmonic_error=0.01 * ring,
            isotropy_p=0.5 * np.ones(rows),
            status=tuple(STATES[number % 2] for number in range(rows)),
            reason=("",) * rows,
            theta_bragg=profiles.theta_bragg,
            bins=profiles.bins,
            profile=profiles.intensity,
            profile_errors=profiles.intensity_errors,
            fitted=np.repeat(level[:, None], COLUMNS, axis=1),
        )


@dataclass(frozen=True)
class ToyOrder(Step):
    """The harmonic order parameter of each row of the fits."""

    name = "toy_order"
    version = 1

    def __call__(self, profiles: Profiles, fits: tuple[Fits, ...]) -> Orientation:
        rows = [(fit, row) for fit in fits for row in range(len(fit.ring))]
        words = {"hkl": "", "model": "pseudo_voigt", "method": "harmonic", "reflection": "equatorial", "reason": ""}
        texts: dict[str, Any] = {key: (word,) * len(rows) for key, word in words.items()}
        nan = np.full(len(rows), np.nan)
        return Orientation(
            frame=np.full(len(rows), -1),
            ring=np.array([fit.ring[row] for fit, row in rows], dtype=int),
            peak=np.ones(len(rows), dtype=int),
            q=np.array([fit.q[row] for fit, row in rows]),
            S=np.array([fit.S_harmonic[row] for fit, row in rows]),
            S_errors=np.array([fit.S_harmonic_error[row] for fit, row in rows]),
            P4=nan,
            P4_errors=nan,
            status=tuple(fit.status[row] for fit, row in rows),
            **texts,
        )


TOYS = {kind.name: kind for kind in (ToyGeometry, ToyMasking, ToyCaving, ToyProfiles, ToyFit, ToyOrder)}

MASK = Attachment("mask.edf", (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 11 == 0).astype(np.uint8), "mask")


def forget(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the code of steps be lost, until the monkeypatch is undone."""
    for name in names:
        monkeypatch.delitem(step._IMPORTED, name)


def chain() -> list[tuple[Step, str, dict[str, object]]]:
    """Every toy step once, in order."""
    steps = (ToyGeometry(), ToyMasking(mask=(MASK,)), ToyCaving(), ToyProfiles(), ToyFit(), ToyOrder())
    return [(one, one.name, {}) for one in steps]


def scan(seed: int = 0) -> Scan:
    """A small measurement of three frames with a mask of its own and odd metadata."""
    frames = np.random.default_rng(seed).poisson(5, (FRAMES, ROWS, COLUMNS)).astype(np.uint32)
    gaps = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
    gaps[3:6] = 1
    return Scan(
        title="Co_100mT",
        beam=Beam(1.0),
        detector=Detector("eiger", ROWS, COLUMNS, 3.0, 1e-4, 1e-4, 12.0, 15.0),
        sample=Sample("Co", 100.0),
        origin=Origin("a_raw.h5", "id02", "application/x-hdf5", "ab" * 32, {"a": 1, "b": float("nan")}, ("assumed",)),
        frames=frames,
        exposure=Exposure(time=np.ones(FRAMES), elapsed=np.arange(FRAMES) * 2.0),
        start_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        masks=(Attachment("gaps.edf", gaps, "gaps"),),
        auxiliary=(Attachment("notes.txt", "kept cold, Å\n", "window"),),
        metadata={"/a/b": b"x\0y", "/c": np.arange(4), "/d": None, "/e": np.array([b"p", b"q"]), "/f g": np.float32(2)},
    )


def make(path: Path, *, records: bool = True, seed: int = 0) -> container.Container:
    """A container of the toy scan, with the records of the whole chain."""
    with creating(path, scan(seed)) as writer:
        if records:
            runner.run_steps(writer, chain())
    return container.Container(path)
