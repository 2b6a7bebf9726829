"""The report: whole, readable without sight, without script, and with nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from router.errors import UsageError
from router.model.assessing import assess
from router.model.classifier import load_classifier
from router.model.labelled import Labelled
from router.model.report.svg import COLOURS
from router.model.report.writing import make_folder, write_report
from router.policies import open_policy
from tests.model.tiny import TinyStage, write_bundle

WORDS = {"lost": (9.0, 0.0, 0.0), "fee": (0.0, 9.0, 0.0), "charge": (0.0, 1.0, 0.9)}
PRIVATE = "charge of a certain Ms Quillfeather"
ROWS = [
    Labelled("lost", "lost_card", "en", ("fraud",)),
    Labelled("fee", "fees", "en", ()),
    Labelled(PRIVATE, "<b>&greeting", "de", ("vulnerable",)),
    Labelled("", "out_of_scope", "en"),
] * 3
VOID = {"meta"}
PICTURES = {"reliability", "risk-coverage", "confusion-queues", "confusion-intents"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("models") / "tiny" / "1"
    stage = TinyStage("only", WORDS, flags={"lost": (-9.0, 9.0)})
    classifier = load_classifier(write_bundle(folder, stage))
    about = {
        "model": {"name": "tiny", "version": "1", "hash": "0" * 64},
        "policy": {"name": "default", "version": "1", "hash": "1" * 64},
        "data": {"file": "<rows>.csv", "sha256": "2" * 64},
    }
    return assess(classifier, ROWS, open_policy(), resamples=20) | about


@pytest.fixture(scope="module")
def folder(report: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    write_report(report, made)
    return made


class Page(HTMLParser):
    """Every tag with its attributes; refuses one that is not closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "evaluation.html").read_text(encoding="utf-8"))


def test_every_file_is_there_and_no_customers_text_in_any(folder: Path) -> None:
    pictures = {f"{name}.svg" for name in PICTURES}
    assert {path.name for path in folder.iterdir()} == pictures | {
        "evaluation.html", "evaluation.json",
    }  # fmt: skip
    for path in folder.iterdir():
        assert "Quillfeather" not in path.read_text(encoding="utf-8")


def test_the_numbers_are_those_of_the_command(folder: Path, report: dict[str, Any]) -> None:
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8")) == report


def test_the_page_takes_nothing_from_elsewhere_and_runs_nothing(folder: Path, page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    source = (folder / "evaluation.html").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?://|\son\w+=", source)


def test_every_picture_says_what_it_shows(page: Page) -> None:
    ids = {attributes.get("id") for _, attributes in page.tags}
    pictures = list(page.of("svg"))
    assert len(pictures) == len(PICTURES)
    for picture in pictures:
        named = (picture["aria-labelledby"] or "").split()
        assert picture["role"] == "img"
        assert len(named) == 2
        assert set(named) <= ids


def test_ids_are_given_once_and_every_link_leads_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] or "" for attributes in page.of("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_every_table_has_a_caption_and_its_headers_a_scope(page: Page) -> None:
    tables = len(list(page.of("table")))
    assert tables == len(list(page.of("caption")))
    assert tables >= 9
    assert all(header["scope"] in {"row", "col"} for header in page.of("th"))


def test_the_page_has_the_main_figures_and_names_are_no_markup(
    page: Page, report: dict[str, Any]
) -> None:
    for name in ("accuracy", "ece", "aurc", "oos_auroc", "set_coverage"):
        assert name in page.words
        assert f"{report[name]:.4f}" in page.words
    assert "<b>&greeting" in page.words
    assert "<rows>.csv" in " ".join(page.words)


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_stands_alone_as_xml_with_its_own_colours(folder: Path, name: str) -> None:
    # Written a line above by us, and parsed to see that it is whole.
    root = ElementTree.fromstring((folder / f"{name}.svg").read_text("utf-8"))  # noqa: S314
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.find(f"{space}title") is not None
    assert COLOURS in (root.findtext(f"{space}style") or "")
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for shape in root.iter(f"{space}rect"):
        if "x" in shape.attrib:
            assert 0 <= float(shape.attrib["x"]) <= width
            assert 0 <= float(shape.attrib["y"]) <= height


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_and_lines_stand_out_in_the_light_and_in_the_dark() -> None:
    """WCAG 2.2: a contrast of 4.5 for text, AA."""
    for scheme in COLOURS.split("@media"):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for ink in ("ink", "quiet", "one", "two"):
            for back in ("back", "soft"):
                pair = sorted((_luminance(colours[ink]), _luminance(colours[back])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ink, back)


def test_texts_out_of_scope_alone_make_a_page_without_pictures(tmp_path: Path) -> None:
    classifier = load_classifier(write_bundle(tmp_path / "tiny" / "1", TinyStage("only", WORDS)))
    rows = [Labelled("lost", "out_of_scope", "en")]
    found = assess(classifier, rows, open_policy(), resamples=5)
    about = {
        "model": {"name": "tiny", "version": "1", "hash": ""},
        "policy": {"name": "p", "version": "1", "hash": ""},
        "data": {"file": "rows.csv", "sha256": ""},
    }
    written = write_report(found | about, tmp_path)
    assert [path.name for path in written] == ["evaluation.html", "evaluation.json"]
    assert not list(Page((tmp_path / "evaluation.html").read_text("utf-8")).of("svg"))


def test_a_folder_that_cannot_be_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        make_folder(tmp_path / "file" / "report")
