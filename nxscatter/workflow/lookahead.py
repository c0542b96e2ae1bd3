"""What the steps of a run will want of each frame, found by trying them on the first frame alone.

What they want in the end is compared with what was found here, so that a rehearsal that went otherwise (an image step
that goes by intensities, rings that are yet to be found) costs a second reading and changes no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from nxscatter.errors import StepError
from nxscatter.results import Geometry, Image, Result
from nxscatter.results.stages import FrameReader
from nxscatter.science.pixels.single_pass import Announced, SharedFrames
from nxscatter.step import Step
from nxscatter.workflow.step_inputs import Converted, result_kind

Uses: TypeAlias = Sequence[tuple[Step, str, Mapping[str, Any]]]
_FEW = 10  # frames that are as soon read twice


def shared_frames(content: Converted, steps: Uses) -> SharedFrames:
    """Return the raw frames, which know what steps will want of each frame.

    Parameters
    ----------
    content : Converted
        Where the frames are, and what goes with them.
    steps : sequence of (step, record name, chosen inputs)
        All steps of a run.
    """
    raw = SharedFrames(content.value(FrameReader, "raw"))
    if raw.shape[0] < _FEW or not any(_goes_by_frames(step) for step, _, _ in steps):
        return raw
    made: dict[str, Result] = {}
    with raw.rehearsal():
        for step, name, chosen in steps:
            if not (_goes_by_frames(step) or issubclass(step.output(), Geometry | Image)):
                continue
            try:
                arguments = {
                    key: raw if kind is FrameReader else _argument(content, made, kind, key, chosen.get("input", ()))
                    for key, kind in step.inputs().items()
                }
                made[name] = cast("Callable[..., Result]", step)(**arguments)
            except Announced:
                continue
            except Exception:  # noqa: BLE001, what is wrong the run itself will say
                break
    return raw


def _goes_by_frames(step: Step) -> bool:
    return getattr(step, "frames", "mean") == "each"


def _argument(content: Converted, made: Mapping[str, Result], kind: Any, key: str, wanted: Sequence[str]) -> Any:
    """Return the newest result of the kind, of the steps that are wanted if one of them makes it."""
    result, _, optional = result_kind(kind)
    if result is None:
        return content.value(kind, key)
    fitting = {name: one for name, one in made.items() if isinstance(one, result)}
    chosen = [one for name, one in fitting.items() if name in wanted] or list(fitting.values())
    if not chosen and not optional:
        raise StepError(f"{key} is not made by the steps that are rehearsed")
    return chosen[-1] if chosen else None
