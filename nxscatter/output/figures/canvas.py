"""Where figures are drawn: into a PNG file, or on the screen; and what stands above them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nxscatter.steps.views import Naming
    from nxscatter.store.container import Container

_DPI = 150  # enough for print at the size of a column


def figure_png(size: tuple[float, float], draw: Callable[..., Any], *arguments: Any, **options: Any) -> bytes:
    """Return the bytes of a PNG file.

    Parameters
    ----------
    size : (width, height)
        In inches; there are 150 pixels to an inch.
    draw : callable
        Called with an empty figure, the arguments and the options.
    """
    file = io.BytesIO()
    # noise does not become smaller by compressing harder
    with _drawn(size, _DPI, draw, *arguments, **options) as canvas:
        canvas.print_png(file, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return file.getvalue()


def small_png(size: tuple[float, float], dpi: int, draw: Callable[..., Any], *arguments: Any, **options: Any) -> bytes:
    """Return the bytes of a PNG file in 256 colours: a third of them, and no difference that could be seen.

    Parameters
    ----------
    size : (width, height)
        In inches, of ``dpi`` pixels.
    draw : callable
        As for `figure_png`.
    """
    from PIL import Image

    file = io.BytesIO()
    with _drawn(size, dpi, draw, *arguments, **options) as canvas:
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    reduced = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(file, "PNG", compress_level=6)
    return file.getvalue()


@contextmanager
def _drawn(
    size: tuple[float, float], dpi: int, draw: Callable[..., Any], *arguments: Any, **options: Any
) -> Iterator[Any]:
    """Give the canvas of a figure, in matplotlib's own style until the block ends."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context("default"):
        figure = Figure(figsize=size, dpi=dpi, layout="compressed")
        canvas = FigureCanvasAgg(figure)
        draw(figure, *arguments, **options)
        yield canvas


def on_screen(name: str, size: tuple[float, float], draw: Callable[..., Any], *arguments: Any) -> None:
    """Draw with pyplot and show the figure where there is a screen or a notebook, without waiting for anybody.

    A figure of the same ``name`` is drawn anew, so that a loop does not fill the screen. Without a screen it is kept
    by pyplot, for ``savefig``.
    """
    import matplotlib.pyplot as plt

    draw(plt.figure(num=name, figsize=size, clear=True, layout="compressed"), *arguments)
    if has_screen():
        plt.show(block=False)


def has_screen() -> bool:
    """Whether matplotlib draws on a screen or in a notebook."""
    import matplotlib as mpl
    from matplotlib.backends.registry import BackendFilter, backend_registry

    silent = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)  # type: ignore[no-untyped-call]
    return mpl.get_backend().lower() not in silent


def title_of(container: Container, view: Naming | None = None) -> str:
    """Sample, field (or time, in a series against it) and source of a measurement."""
    sample, time = container.sample, None if view is None else view.time
    field = [f"{sample.magnetic_field:g} mT"] if np.isfinite(sample.magnetic_field) else []
    state = field if time is None else [f"{time:g} s"]
    return drawable(", ".join([sample.name, *state, container.origin.file_name]))


def samples_title(samples: Iterable[str]) -> str:
    """Name the samples of a series, the first three of many."""
    names = list(dict.fromkeys(samples))
    return drawable(", ".join(names[:3]) + (", ..." if len(names) > 3 else ""))


def drawable(text: str) -> str:
    """Replace what the figures' font has no shape for."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return "".join(letter if font.get_char_index(ord(letter)) else "?" for letter in " ".join(text.split()))
