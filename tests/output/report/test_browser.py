"""The report in a real browser: figures are there, the chain can be read and followed, and a print holds everything."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nxscatter.output.export import export
from nxscatter.output.table import rows
from nxscatter.readers.registry import read_scan
from nxscatter.simulate import Simulated
from nxscatter.step import make_step
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow import runner
from support import browser, toy
from support.browser import Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium"),
]

STEPS = ("geometry", "masking", "caving", "rings", "azimuthal_profiles", "fit_maier_saupe", "order_parameter")


@pytest.fixture(scope="module")
def made(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Container:
    path = tmp_path_factory.mktemp("browser") / "rods.nxs"
    with creating(path, read_scan(id02_file.path)) as writer:
        runner.run_steps(writer, [(make_step(name, {}), name, {}) for name in STEPS])
    made = Container(path)
    runner.run(made, make_step("masking", {"saturation": 1e6}))  # what follows from the first one is stale
    return made


@pytest.fixture(scope="module")
def page(made: Container) -> Iterator[Browser]:
    (path,) = export(made, made.path.parent / "export", ["report"])
    with Browser() as chromium:
        chromium.open(path)
        yield chromium


def test_every_figure_is_drawn(page: Browser) -> None:
    figures = page.evaluate(
        "[...document.images].map(one => [one.complete, one.naturalWidth, one.clientWidth, one.alt.length])"
    )
    assert len(figures) == 6  # summary, caved image, newly masked image, radial profile, two fits
    for complete, pixels, width, words in figures:
        assert complete
        assert pixels > 500
        assert 300 < width <= pixels
        assert words > 30


def test_nothing_is_asked_for_and_nothing_is_wrong(page: Browser) -> None:
    asked = [event["request"]["url"] for event in page.events["Network.requestWillBeSent"]]
    assert [url for url in asked if not url.startswith("data:")] == [asked[0]]
    assert asked[0].startswith("file:")
    assert page.events.get("Log.entryAdded", []) == []
    assert page.events.get("Runtime.exceptionThrown", []) == []
    assert page.evaluate("document.compatMode") == "CSS1Compat"


def test_the_tables_have_their_rows(made: Container, page: Browser) -> None:
    lines = page.evaluate("[...document.querySelectorAll('#results tbody')].map(one => one.rows.length)")
    assert lines == [len(rows(made)), 2]
    text = page.evaluate("document.querySelector('#results').innerText")
    assert "Maier-Saupe" in text
    assert "isotropic" in text
    assert page.evaluate("document.querySelectorAll('#hashes tbody')[1].rows.length") == len(made.records)


def test_the_chain_has_a_readable_box_for_each_record(made: Container, page: Browser) -> None:
    boxes = page.evaluate(
        """[...document.querySelectorAll('svg.lineage a.record')].map(one => {
            const box = one.querySelector('rect').getBBox();
            const texts = [...one.querySelectorAll('text')].map(text => text.getBBox());
            return [one.querySelector('.name').textContent, one.classList.contains('stale'), box.width, box.height,
                    Math.max(...texts.map(text => text.width)),
                    texts.every(text => text.y >= box.y && text.y + text.height <= box.y + box.height)];
        })"""
    )
    assert [box[0] for box in boxes] == [record.name for record in made.records]
    assert [box[0] for box in boxes if box[1]] == [record.name for record in made.records if record.stale]
    for _, _, width, height, text, inside in boxes:
        assert width > 100
        assert height > 20
        assert text < width
        assert inside


def test_a_box_leads_to_the_parameters_of_its_record(page: Browser) -> None:
    about = "document.getElementById('record-masking_v2')"
    assert not page.evaluate(f"{about}.closest('details').open")
    page.evaluate("document.querySelector('a[href=\"#record-masking_v2\"]').dispatchEvent(new MouseEvent('click'))")
    page.settle()
    assert page.evaluate(f"{about}.closest('details').open")
    assert "1e+06 counts" in page.evaluate(f"{about}.innerText")


@pytest.mark.parametrize("width", [1200, 800, 420])
def test_the_page_fits_a_window(page: Browser, width: int) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        page.call("Emulation.clearDeviceMetricsOverride")


def test_a_print_holds_what_is_folded_away(page: Browser) -> None:
    folded = """[...document.querySelectorAll('details > div')].filter(
        one => !one.checkVisibility() || one.offsetHeight == 0).length"""
    assert page.evaluate(folded) > 0
    page.call("Emulation.setEmulatedMedia", media="print")
    page.settle()
    try:
        assert page.evaluate(folded) == 0
        assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    finally:
        page.call("Emulation.setEmulatedMedia", media="")
    document = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert document.startswith(b"%PDF-")


def test_text_from_a_file_runs_nothing(tmp_path: Path) -> None:
    scan = toy.scan()
    hostile = "<img src=x onerror='document.title=1'></style><script>document.title=2</script>"
    with creating(tmp_path / "x.nxs", replace(scan, sample=replace(scan.sample, name=hostile))) as writer:
        runner.run_steps(writer, toy.chain()[:1])
    (path,) = export(Container(tmp_path / "x.nxs"), tmp_path, ["report"])
    with Browser() as chromium:
        chromium.open(path)
        assert chromium.evaluate("document.title") == f"{hostile}, 100 mT: nxscatter report"
        assert chromium.evaluate("document.querySelector('h1').children.length") == 0
