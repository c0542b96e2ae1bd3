"""Steps: their parameters are their contract, their names and versions are unique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nxscatter import step
from nxscatter.errors import ParameterError, PluginError, UnknownStepError
from nxscatter.fields import param
from nxscatter.model import Attachment
from nxscatter.results import Image
from nxscatter.step import Step, get_step, make_step, step_names
from support import toy


def test_parameters_are_json_with_files_by_their_hashes() -> None:
    masking = toy.ToyMasking(threshold=5, mask=(toy.MASK,))
    file = {"file": "mask.edf", "role": "mask", "sha256": toy.MASK.sha256}
    assert masking.parameters == {"threshold": 5.0, "mask": [file]}
    assert masking.attachments == {"mask": (toy.MASK,)}


def test_a_file_alone_stands_for_a_tuple_of_one() -> None:
    alone: Any = toy.MASK
    assert toy.ToyMasking(mask=alone).mask == (toy.MASK,)


def test_an_unknown_parameter_lists_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="'toy_masking' has no parameter 'treshold': use one of threshold, mask"):
        make_step("toy_masking", {"treshold": 3})
    with pytest.raises(ParameterError, match=r"step 'toy_fit' has no parameter 'x': use one of \(none\)"):
        make_step("toy_fit", {"x": 3})


def test_a_parameter_that_must_be_given_is_named_with_its_meaning() -> None:
    @dataclass(frozen=True)
    class Smoothing(Step):
        name = "toy_smoothing"
        version = 1
        width: float = param("pixel", "full width of the kernel")

    with pytest.raises(ParameterError, match=r"step 'toy_smoothing' needs the parameter 'width' \(full width of"):
        make_step("toy_smoothing", {})


def test_an_unknown_step_lists_the_installed_ones() -> None:
    with pytest.raises(UnknownStepError) as caught:
        get_step("cave")
    assert all(name in str(caught.value) for name in ("cave", *step_names()))
    assert "toy_masking" not in step_names()


def test_a_name_and_version_belong_to_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "_IMPORTED", dict(step._IMPORTED))
    with pytest.raises(PluginError, match=r"step 'toy_fit' version 1 is defined in support\.toy and in .*test_step;"):

        class Fit(Step):
            name = "toy_fit"
            version = 1

    assert get_step("toy_fit") is toy.ToyFit


def test_a_notebook_may_define_a_step_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "_IMPORTED", dict(step._IMPORTED))

    def cell() -> type[Step]:
        class Sharpening(Step):
            name = "toy_sharpening"
            version = 1

            def __call__(self, image: Image) -> Image:
                return image

        return Sharpening

    first, second = cell(), cell()
    assert first is not second
    assert get_step("toy_sharpening") is second


def test_without_installed_steps_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "plugin_names", lambda group: ())
    with pytest.raises(UnknownStepError, match=r"'caving2': use one of \(none is installed: .*pip install"):
        get_step("caving2")


def test_attachments_are_equal_by_content() -> None:
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert toy.ToyMasking(mask=(Attachment("a", values, "mask"),)) == toy.ToyMasking(
        mask=(Attachment("a", values.copy(), "mask"),)
    )
