"""Monitors of ID02: counters of the HS32 scaler card, ``HSI0``, ``HSI1`` and ``HSTime`` point to its pins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Floats
from nxscatter.readers.headers.keywords import Keywords


def monitors(keys: Keywords, arrays: Mapping[str, Any], frames: int) -> dict[str, Floats]:
    """Return what the scalers measured, one value a frame.

    A value is ``(C - Z*t)*F``, with the counts C, dark counts per second Z and factor F of its pin, and
    ``t = C*F`` of the time pin. Without scalers, ``Intensity0`` and ``Intensity1`` of the header are taken.

    Parameters
    ----------
    keys : Keywords
        The header: ``HSI0``, ``HSI1``, ``HSTime`` (1-based pin number, or pin name), ``HS32N01``, ``HS32C01``, ...
    arrays : mapping
        ``HS32C``, ``HS32N``, ``HS32Z``, ``HS32F`` as arrays over pins (C over frames and pins too), where the
        file has them in that form.
    frames : int
        Number of frames.

    Returns
    -------
    dict
        ``time`` (s), ``intensity0`` and ``intensity1``, as far as they are known.

    Raises
    ------
    ReadError
        When a pin does not exist or its counts do not fit the frames.
    """
    pins = _Pins(keys, arrays, frames)
    found: dict[str, Floats] = {}
    time_pin = pins.find("HSTime")
    if time_pin is not None and pins.counted(time_pin):
        time = pins.column("C", time_pin) * pins.constant("F", time_pin, 1.0)
        found["time"] = time
        for name, key in (("intensity0", "HSI0"), ("intensity1", "HSI1")):
            pin = pins.find(key)
            if pin is not None and pins.counted(pin):
                counts = pins.column("C", pin) - pins.constant("Z", pin, 0.0) * time
                found[name] = counts * pins.constant("F", pin, 1.0)
    for name, key in (("intensity0", "Intensity0"), ("intensity1", "Intensity1")):
        if name not in found and key in keys:
            found[name] = pins.per_frame(key, keys.get(key))
    return found


class _Pins:
    def __init__(self, keys: Keywords, arrays: Mapping[str, Any], frames: int) -> None:
        self._keys, self._arrays, self._frames = keys, arrays, frames

    def find(self, key: str) -> int | None:
        """Return the pin that a key points to, by number or by name."""
        if key not in self._keys:
            return None
        text = self._keys.text(key)
        names = self._names()
        if text in names.values():
            return next(pin for pin, name in names.items() if name == text)
        try:
            pin = float(text)
        except ValueError:
            pin = 0.0
        if not pin.is_integer() or pin < 1:
            raise ReadError(f"{self._keys.file}: header key {key} = '{text}' is no pin; correct HS32N or {key}")
        return int(pin)

    def counted(self, pin: int) -> bool:
        return self._raw("C", pin) is not None

    def column(self, letter: str, pin: int) -> Floats:
        return self.per_frame(f"HS32{letter}{pin:02d}", self._raw(letter, pin))

    def constant(self, letter: str, pin: int, default: float) -> float:
        value = self._raw(letter, pin)
        return default if value is None else float(self.per_frame(f"HS32{letter}{pin:02d}", value)[0])

    def per_frame(self, key: str, value: Any) -> Floats:
        try:
            values = np.atleast_1d(np.asarray(value, dtype=float)).ravel()
        except (TypeError, ValueError) as error:
            raise ReadError(f"{self._keys.file}: header key {key} = {value!r} is not a number; correct it") from error
        if values.size not in (1, self._frames):
            raise ReadError(f"{self._keys.file}: header key {key} has {values.size} values for {self._frames} frames")
        return np.broadcast_to(values, (self._frames,)).copy()

    def _names(self) -> dict[int, str]:
        listed = self._arrays.get("HS32N")
        if listed is not None:
            return {pin: str(name) for pin, name in enumerate(np.ravel(listed), 1)}
        return {
            int(key[5:]): self._keys.text(key)
            for key in self._keys.header
            if key.upper().startswith("HS32N") and key[5:].isdecimal()
        }

    def _raw(self, letter: str, pin: int) -> Any:
        for key in (f"HS32{letter}{pin:02d}", f"HS32{letter}{pin}"):
            if key in self._keys:
                return self._keys.get(key)
        table = self._arrays.get(f"HS32{letter}")
        if table is None:
            return None
        array = np.asarray(table)
        if array.ndim == 0 or pin > array.shape[-1]:
            raise ReadError(f"{self._keys.file}: HS32{letter} has no pin {pin}; correct HSI0, HSI1 or HSTime")
        return array[..., pin - 1]
