"""The report: one HTML page that tells what was measured, what came out, how it was made, and what to be aware of.

The page carries its figures and its style, runs no script and asks for nothing from elsewhere. It holds no date but
those of the records: the same container gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.output.files import write_file
from nxscatter.output.formats.q_images import last_images
from nxscatter.output.names import Names
from nxscatter.output.report import figures
from nxscatter.output.report.lineage_svg import draw_lineage
from nxscatter.output.report.records import environments, fold_outs, hashes
from nxscatter.output.report.tables import results_tables
from nxscatter.output.table import Row, rows
from nxscatter.plain import readable
from nxscatter.results import Fits, Geometry, Image, Orientation, PixelFlag
from nxscatter.store.markup import Markup, element, facts, join, table
from nxscatter.store.selection import newest, of_kind
from nxscatter.store.summary import described
from nxscatter.version import __version__

if TYPE_CHECKING:
    from nxscatter.output.report.figures import Picture
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_FINE = ("ok", "isotropic")


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the report of a container; of one record: of this and what it was made from."""
    name = Names.of(container)
    whole = [record.name for record in records] == [record.name for record in newest(container.records)]
    suffix = "" if whole else f"_{'_'.join(record.name for record in records)}"
    page = report_html(container, records, whole=whole)
    return [write_file(folder / f"{name.prefix}_{name.shot}{suffix}_report.html", page.encode())]


def report_html(container: Container, records: Sequence[Record], *, whole: bool = True) -> str:
    """Return the page.

    Parameters
    ----------
    container : Container
        What is reported.
    records : sequence of Record
        Those whose results are shown.
    whole : bool
        These are the newest of all: every record is drawn in the chain. Else only these, with what they were made from.
    """
    drawn = list(container.records) if whole else _with_ancestors(records)
    shown = list(records) if whole else drawn
    found = rows(container) if whole else [row for record in records for row in rows(container, record=record)]
    sample = described(container)
    title = f"{sample['sample']}, {sample['magnetic field']}" if _known(sample["magnetic field"]) else sample["sample"]
    sections = [
        ("warnings", "Warnings", _warnings(container, shown)),
        ("results", "Order parameters", _results(found, figures.summary(container, found))),
        ("measurement", "Measurement", _measurement(container, shown, sample)),
        ("image", "Image", _images(container, shown)),
        ("profiles", "Profiles", _gallery(figures.profiles(container, shown))),
        ("fits", "Fits", _fits(container, shown, found)),
        ("chain", "Chain of records", _chain(container, drawn)),
        ("environment", "Environment", environments(drawn)),
        ("hashes", "Content hashes", hashes(container, drawn)),
    ]
    present = [(key, heading, content) for key, heading, content in sections if content]
    body = [
        element("header", element("h1", title), element("p", _lead(sample))),
        element("nav", *(element("a", heading, href=f"#{key}") for key, heading, _ in present), aria_label="Sections"),
        element(
            "main",
            *(
                element("section", element("h2", heading), content, id=key, class_=key)
                for key, heading, content in present
            ),
        ),
        element("footer", element("p", _foot(container))),
    ]
    head = [
        element("meta", charset="utf-8"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        ),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=f"nxscatter {__version__}"),
        element("title", f"{title}: nxscatter report"),
        element("style", Markup(resources.files("nxscatter.output.report").joinpath("page.css").read_text("utf-8"))),
    ]
    return f"<!DOCTYPE html>\n{element('html', element('head', *head), element('body', *body), lang='en')}\n"


def _known(text: str) -> bool:
    return text != "unknown"


def _with_ancestors(records: Sequence[Record]) -> list[Record]:
    found = {related.name: related for record in records for related in (*record.ancestors, record)}
    return sorted(found.values(), key=lambda record: record.sequence)


def _lead(sample: dict[str, str]) -> str:
    parts = [sample["source"].split(", reader")[0], sample["instrument"], sample["measured"]]
    return " · ".join(part for part in parts if _known(part))


def _foot(container: Container) -> Markup:
    command = element("code", f"nxscatter verify --replay {readable(container.path.name)}")
    return join(
        [
            "Made by nxscatter ",
            __version__,
            " from ",
            readable(container.path.name),
            " alone. ",
            command,
            " checks every hash and computes every record again.",
        ]
    )


def _warnings(container: Container, records: Sequence[Record]) -> Markup:
    said = [
        *(f"{record.name} is stale: {record.why_stale}" for record in records if record.stale),
        *dict.fromkeys(note for record in records for note in record.notes),
        *_troubled(records),
    ]
    notes = container.origin.notes
    parts = [element("ul", *(element("li", text) for text in said)) if said else element("p", "None.", class_="none")]
    if notes:
        parts += [
            element("h3", "Assumptions about the source"),
            element("ul", *(element("li", text) for text in notes)),
        ]
    return element("div", *parts, class_="box bad" if said else "box good")


def _troubled(records: Sequence[Record]) -> Iterable[str]:
    """Say of each record which of its rows are not fine, an order parameter's not where its fit has said so."""
    said = set()
    for record in of_kind(records, Fits, Orientation):
        result: Any = record.load()
        for status, count in Counter(result.status).items():
            if status not in _FINE and not any((parent.name, status) in said for parent in record.parents):
                reason = result.reason[result.status.index(status)]
                text = f"{count} of {len(result.status)} rows have the status {status.replace('_', ' ')}"
                yield f"{record.name}: {text}" + (f" ({reason})" if reason else "")
                said.add((record.name, status))


def _results(found: Sequence[Row], pictures: Iterable[Picture]) -> Markup:
    if not found:
        return Markup()
    return join([results_tables(found), _gallery(pictures)])


def _measurement(container: Container, records: Sequence[Record], sample: dict[str, str]) -> Markup:
    parts = [facts(sample.items(), "What the source says")]
    for record in of_kind(records, Geometry):
        geometry = record.load_as(Geometry)
        parts.append(facts(_geometry(geometry), f"Geometry used ({record.name})"))
    embedded = [
        (attachment.name, attachment.role, attachment.sha256) for attachment in (*container.masks, *container.auxiliary)
    ]
    for record in records:
        embedded += [
            (attachment.name, attachment.role, attachment.sha256)
            for files in record.attachments().values()
            for attachment in files
        ]
    if embedded:
        parts.append(
            table(("file", "role", "sha256"), dict.fromkeys(embedded), "Files used, kept inside the container")
        )
    return join(parts)


def _geometry(geometry: Geometry) -> list[tuple[str, str]]:
    from nxscatter.output.figures.curves import with_error
    from nxscatter.science.geometry import qspace

    low, high = qspace.q_range(geometry)
    turned = [geometry.rot1, geometry.rot2, geometry.rot3]
    return [
        ("wavelength", f"{geometry.wavelength:.6g} Å"),
        ("distance", f"{with_error(geometry.distance, geometry.distance_error)} m"),
        ("centre along x", f"{with_error(geometry.center_x, geometry.center_x_error)} px"),
        ("centre along y", f"{with_error(geometry.center_y, geometry.center_y_error)} px"),
        ("rotations", f"{', '.join(f'{angle:g}' for angle in turned)} degrees" if any(turned) else "none"),
        ("q on the detector", f"{low:.4g} to {high:.4g} Å⁻¹"),
    ]


def _images(container: Container, records: Sequence[Record]) -> Markup:
    parts = [_gallery(figures.images(container, records))]
    for record in last_images(records):
        image = record.load_as(Image)
        lines = [
            (flag.name.lower().replace("_", " "), f"{count}", f"{100 * count / image.flags.size:.3g} %")
            for flag in PixelFlag
            if flag.name and (count := int(np.count_nonzero(image.flags & flag)))
        ]
        caption = f"Pixels that are not plainly measured ({record.name}); one pixel may have several reasons"
        if lines:
            parts.append(table(("reason", "pixels", "share"), lines, caption))
    return join(parts)


def _fits(container: Container, records: Sequence[Record], found: Sequence[Row]) -> Markup:
    parts = [_gallery(figures.fits(container, records, found))]
    if more := figures.left_out(records):
        parts.append(element("p", f"Fits not drawn here: {more}. The export of format png draws all of them."))
    return join(parts)


def _chain(container: Container, records: Sequence[Record]) -> Markup:
    if not records:
        return element("p", "There are no records yet.")
    told = "Arrows lead from what a record was made from. Dashed: stale, made from an input that has a newer version."
    drawing = element("div", draw_lineage(records, container.origin.file_name), class_="drawing")
    return join([element("figure", drawing, element("figcaption", told)), fold_outs(records)])


def _gallery(pictures: Iterable[Picture]) -> Markup:
    made = [
        element(
            "figure",
            element(
                "img",
                src=picture.data_uri,
                alt=picture.description,
                width=str(picture.width),
                height=str(picture.height),
            ),
            element("figcaption", picture.caption),
        )
        for picture in pictures
    ]
    return element("div", *made, class_="gallery") if made else Markup()
