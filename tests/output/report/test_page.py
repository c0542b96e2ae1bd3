"""The report: what it says is what the container holds, and a page of its own that nobody's text can change."""

from __future__ import annotations

import base64
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nxscatter.output import table
from nxscatter.output.export import export
from nxscatter.output.figures.curves import with_error
from nxscatter.output.report.page import report_html
from nxscatter.readers.registry import read_scan
from nxscatter.simulate import Simulated, kinetic_stack
from nxscatter.step import make_step
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow import runner
from support import toy
from support.page import Node, parse

STEPS = ("geometry", "masking", "caving", "azimuthal_profiles", "fit_maier_saupe", "order_parameter")
HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror=alert(2)>\" &amp; '"


def page_of(made: Container) -> Node:
    return parse(report_html(made, table.newest(made.records)))


def process(path: Path, raw: Path, **profiles: object) -> Container:
    given = {"azimuthal_profiles": {"q": [0.05, 0.068], "bins": 72, **profiles}}
    with creating(path, read_scan(raw)) as writer:
        runner.run_steps(writer, [(make_step(name, given.get(name, {})), name, {}) for name in STEPS])
    return Container(path)


@pytest.fixture(scope="module")
def processed(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Container:
    return process(tmp_path_factory.mktemp("report") / "rods.nxs", id02_file.path)


@pytest.fixture(scope="module")
def written(processed: Container) -> Path:
    (path,) = export(processed, processed.path.parent / "export", ["report"])
    return path


@pytest.fixture(scope="module")
def page(written: Path) -> Node:
    return parse(written.read_text("utf-8"))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure is one small picture, for tests of what stands around them."""
    picture = io.BytesIO()
    Image.new("P", (6, 4)).save(picture, "PNG")
    monkeypatch.setattr("nxscatter.output.report.figures.small_png", lambda *_: picture.getvalue())


@pytest.fixture
def toy_page(box: Container, undrawn: None) -> Node:
    return page_of(box)


def section(page: Node, key: str) -> Node:
    return page.one("section", id=key)


def captioned(page: Node, start: str) -> Node:
    (found,) = [one for one in page.all("table") if one.all("caption") and one.one("caption").text.startswith(start)]
    return found


def test_it_is_one_file_with_the_name_of_the_measurement(written: Path) -> None:
    assert written.name == "SAXS_rods_1000mT_Img00376_report.html"
    assert written.stat().st_size < 2_000_000


def test_the_same_records_give_the_same_bytes(processed: Container, written: Path, tmp_path: Path) -> None:
    moved = Container(shutil.copy(processed.path, tmp_path / "rods.nxs"))
    assert report_html(moved, table.newest(moved.records)).encode() == written.read_bytes()


def test_it_asks_for_nothing_and_runs_nothing(page: Node) -> None:
    assert not {"script", "link", "iframe", "object", "form"} & {one.tag for one in page.walk()}
    for one in page.walk():
        assert not [name for name in one.attributes if name.startswith("on")]
        for name in ("src", "href"):
            if name in one.attributes:
                assert one[name].startswith(("#", "data:image/png;base64,"))
    style = page.one("style").text
    assert "@import" not in style
    assert "url(" not in style
    (policy,) = [one["content"] for one in page.all("meta") if one.attributes.get("http-equiv")]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_figures_are_pictures_with_words_for_those_who_do_not_see_them(page: Node) -> None:
    figures = page.all("img")
    assert len(figures) == 4  # summary, map, two fits
    for one in figures:
        assert len(one["alt"]) > 30
        with Image.open(io.BytesIO(base64.b64decode(one["src"].split(",")[1]))) as picture:
            picture.load()
            assert int(one["width"]) / int(one["height"]) == pytest.approx(picture.width / picture.height, rel=0.01)
            assert len(picture.getcolors()) > 20
    assert len(page.all("figcaption")) == len(page.all("figure")) == 5


def test_headings_and_tables_can_be_read_aloud(page: Node) -> None:
    assert page.one("html")["lang"] == "en"
    assert page.one("h1").text == "rods, 1000 mT"
    assert page.one("head").one("title").text == "rods, 1000 mT: nxscatter report"
    sections = page.one("main").all("section")
    assert [one.one("h2").text for one in sections] == [one.text for one in page.one("nav").all("a")]
    for one in page.all("table"):
        assert one.all("caption") or one.classes == ["facts"]
        assert all("scope" in cell.attributes for cell in one.all("th"))


def test_links_lead_somewhere_and_every_name_is_given_once(page: Node, toy_page: Node) -> None:
    for one in (page, toy_page):
        names = [node["id"] for node in one.walk() if "id" in node.attributes]
        assert len(names) == len(set(names))
        assert {node["href"] for node in one.all("a")} <= {f"#{name}" for name in names}


def test_the_table_holds_every_order_parameter_with_its_error(processed: Container, page: Node) -> None:
    head, *lines = captioned(page, "Order parameter S").cells()
    at = {name: head.index(name) for name in ("q (Å⁻¹)", "definition of S", "S", "status")}
    rows = sorted(table.rows(processed), key=lambda row: row["q"])
    assert len(lines) == len(rows) == 2
    oriented, isotropic = rows
    assert abs(oriented["S"] - 0.646) < 5 * oriented["S_error"]
    assert [lines[0][at[name]] for name in at] == [
        "0.05",
        "Maier-Saupe",
        with_error(oriented["S"], oriented["S_error"]),
        "ok",
    ]
    assert [lines[1][at[name]] for name in at] == ["0.068", "Maier-Saupe", "–", "isotropic"]
    assert isotropic["S"] is None


def test_fitted_parameters_have_their_errors(processed: Container, page: Node) -> None:
    head, first, _ = captioned(page, "Fitted parameters").cells()
    row = min(table.rows(processed), key=lambda one: one["q"])
    assert first[head.index("x₀ (°)")] == with_error(row["x0"], row["x0_error"])
    assert first[head.index("κ")] == with_error(row["kappa"], row["kappa_error"])
    assert first[head.index("baseline")] == with_error(row["b"], row["b_error"])
    assert "FWHM γ (°)" not in head  # no model has it


def test_measurement_and_geometry_are_told(processed: Container, page: Node) -> None:
    source = dict(captioned(page, "What the source says").cells())
    assert source["sample"] == "rods"
    assert source["sha256 of the source"] == processed.origin.sha256
    geometry = dict(captioned(page, "Geometry used (geometry_v1)").cells())
    assert geometry["distance"] == f"{processed.detector.distance:.4g} m"
    _, *files = captioned(page, "Files used").cells()
    assert [row[2] for row in files] == [mask.sha256 for mask in processed.masks]


def test_masked_pixels_are_counted_by_reason(processed: Container, page: Node) -> None:
    image = processed.latest("caving").load()
    _, *rows = captioned(page, "Pixels that are not plainly measured").cells()
    counts = {row[0]: int(row[1]) for row in rows}
    assert counts["filled"] == np.count_nonzero(image.flags & (1 << 15)) > 0
    assert counts["beamstop"] == np.count_nonzero(image.flags & (1 << 10)) > 0


def test_the_chain_has_a_box_a_record_and_an_arrow_an_input(box: Container, toy_page: Node) -> None:
    drawing = section(toy_page, "chain").one("svg", "lineage")
    boxes = {one["href"]: one for one in drawing.all("a", "record")}
    assert list(boxes) == [f"#record-{record.name}" for record in box.records]
    arrows = [len(box.lineage.nearest(record.name)) or 1 for record in box.records]
    assert len(drawing.all("path", "arrow")) == sum(arrows) == 7
    told = boxes["#record-toy_masking_v1"].one("title").text
    assert "toy_masking version 1" in told
    assert "threshold = 1e+09 counts" in told
    assert "warning: careful" in told
    assert "toy_profiles_v1 from toy_geometry_v1 and toy_caving_v1" in drawing.one("desc").text


def test_boxes_do_not_overlap_and_arrows_lead_down(box: Container, undrawn: None) -> None:
    for number in range(3):
        runner.run(box, toy.ToyProfiles(q=(0.05 + 0.01 * number,)), name="other" if number else None)
    runner.run(box, toy.ToyCaving(fill=1.0))
    drawing = section(page_of(box), "chain").one("svg")
    width = float(drawing["width"])
    rows: dict[float, list[float]] = {}
    for one in drawing.all("rect"):
        left, top, across = (float(one[name]) for name in ("x", "y", "width"))
        assert left >= 0
        assert left + across <= width
        rows.setdefault(top, []).append(left)
    for lefts in rows.values():
        assert np.all(np.diff(sorted(lefts)) > across)
    for arrow in drawing.all("path", "arrow"):
        heights = [float(point.split()[1]) for point in re.findall(r"[\d.]+ [\d.]+", arrow["d"])]
        assert heights[-1] > heights[0]


def test_what_is_stale_is_dashed_named_and_warned_of(box: Container, undrawn: None) -> None:
    assert not section(page_of(box), "chain").all("a", "stale")
    runner.run(box, toy.ToyMasking(threshold=5.0))
    page = page_of(box)
    stale = [one["href"] for one in section(page, "chain").all("a", "stale")]
    assert stale == [f"#record-toy_{name}_v1" for name in ("caving", "profiles", "fit", "order")]
    warned = [one.text for one in section(page, "warnings").all("li")]
    assert "toy_order_v1 is stale: toy_masking_v2 is newer" in warned


def test_each_record_folds_out_to_what_decided_it(box: Container, toy_page: Node) -> None:
    details = section(toy_page, "chain").all("details")
    assert [one.one("summary").text.split()[0] for one in details] == [record.name for record in box.records]
    facts = {name: text for table_ in details[1].all("table") for name, text in table_.cells()}
    assert facts["threshold"] in ("1e+09 counts", f"{box.record('toy_masking_v1').auto['threshold']:g}")
    assert facts["mask"] == "mask.edf"
    assert facts["date"] == box.record("toy_masking_v1").date


def test_environment_and_hashes_are_those_of_the_records(box: Container, toy_page: Node) -> None:
    versions = dict(section(toy_page, "environment").one("table").cells())
    assert versions == box.records[0].environment
    _, *rows = captioned(toy_page, "SHA-256 of the records").cells()
    assert rows == [[str(one.sequence), one.name, one.result_hash, one.checksum] for one in box.records]


def test_warnings_stand_first(box: Container, toy_page: Node) -> None:
    first = toy_page.one("main").all("section")[0]
    assert first["id"] == "warnings"
    assert "bad" in first.one("div").classes
    assert [one.text for one in first.all("li")] == ["careful", "assumed"]


def test_without_warnings_it_says_none(page: Node) -> None:
    first = section(page, "warnings")
    assert first.one("p").text == "None."
    assert "good" in first.one("div").classes


def test_a_status_that_is_not_fine_is_a_warning(tmp_path: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "STATES", ("at_limit", "isotropic"))
    page = page_of(toy.make(tmp_path / "x.nxs"))
    warned = [one.text for one in section(page, "warnings").all("li")]
    assert "toy_fit_v1: 1 of 2 rows have the status at limit" in warned
    assert not any("toy_order" in text or "isotropic" in text for text in warned)
    assert [one.text for one in captioned(page, "Order parameter S").all("span", "mark")] == ["at limit"]


def test_fits_beyond_what_a_page_can_hold_are_counted(
    box: Container, undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(section(page_of(box), "fits").all("img")) == 2
    monkeypatch.setattr("nxscatter.output.report.figures._MOST_FITS", 1)
    fits = section(page_of(box), "fits")
    assert len(fits.all("img")) == 1
    assert "Fits not drawn here: 1." in fits.text


def test_text_from_the_file_stays_text(tmp_path: Path) -> None:
    scan = toy.scan()
    sample = replace(scan.sample, name=HOSTILE)
    origin = replace(scan.origin, file_name=f"{HOSTILE}.h5", notes=(HOSTILE,))
    scan = replace(scan, title=HOSTILE, instrument=HOSTILE, sample=sample, origin=origin)
    with creating(tmp_path / "x.nxs", scan) as writer:
        runner.run_steps(writer, toy.chain())
    page = page_of(Container(tmp_path / "x.nxs"))
    assert not page.all("script")
    assert all(one["src"].startswith("data:") for one in page.all("img"))
    assert page.one("h1").text == f"{HOSTILE}, 100 mT"
    assert HOSTILE in [one.text for one in section(page, "warnings").all("li")]


def test_a_container_without_records_has_a_report(tmp_path: Path) -> None:
    page = page_of(toy.make(tmp_path / "x.nxs", records=False))
    assert "There are no records yet." in section(page, "chain").text
    assert not page.all("img")


def test_the_report_of_one_record_holds_what_it_was_made_from(box: Container, undrawn: None, tmp_path: Path) -> None:
    runner.run(box, toy.ToyCaving(fill=1.0))
    (path,) = export(box, tmp_path, ["report"], record="toy_profiles")
    assert path.name.endswith("_toy_profiles_v1_report.html")
    page = parse(path.read_text("utf-8"))
    boxes = [one["href"] for one in section(page, "chain").all("a", "record")]
    assert boxes == [f"#record-toy_{name}_v1" for name in ("geometry", "masking", "caving", "profiles")]
    assert "toy_profiles_v1 is stale: toy_caving_v2 is newer" in section(page, "warnings").text


@pytest.mark.slow
def test_a_stack_shows_single_frames_and_s_against_time(tmp_path: Path) -> None:
    raw = kinetic_stack(tmp_path / "kin_eiger2_00012_raw.h5", frames=5)
    made = process(tmp_path / "kin.nxs", raw.path, frames="each")
    page = page_of(made)
    captions = [one.text for one in page.all("figcaption")]
    assert "Raw frames 0, 2, 4 of 5, masked" in captions
    assert "Azimuthal profiles of frames 0, 2, 4 (record azimuthal_profiles_v1)" in captions
    assert "Position, width and order parameter against time" in captions
    shown = captioned(page, "Order parameter S with its standard error, frames 0, 2, 4 of 5")
    head, *lines = shown.cells()
    assert [line[head.index("frame")] for line in lines] == ["0", "0", "2", "2", "4", "4"]
