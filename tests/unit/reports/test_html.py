"""report.html: one file, nothing fetched, both languages, everything escaped."""

from __future__ import annotations

import dataclasses
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gridcheck.policy import plan_2025
from gridcheck.reports.html import report_html, write_report_html
from gridcheck.reports.markup import Html, element
from tests.support.results import HOSTILE_NAME, Sample, sample_results


@pytest.fixture(scope="module")
def report() -> str:
    # A text cannot be changed by a test, so one report serves them all.
    return report_html(sample_results())


class Document(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.open: list[str] = []
        self.script: list[str] = []
        self.unbalanced: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [str(given[name]) for name in ("src", "href", "action") if name in given]
        self.ids += [str(given["id"])] if "id" in given else []
        if tag not in ("meta", "br", "hr", "img", "link", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.script.append(data)


def parsed(report: str) -> Document:
    document = Document()
    document.feed(report)
    return document


def test_file_is_well_formed_and_asks_for_nothing(report: str) -> None:
    document = parsed(report)

    assert document.sources == []
    assert document.unbalanced == []
    assert document.open == []
    assert len(document.script) == 3
    assert len(set(document.ids)) == len(document.ids)


def test_policy_in_the_file_forbids_requests(report: str) -> None:
    head = unescape(report.split("</head>", maxsplit=1)[0])

    assert "default-src 'none'" in head
    assert "connect-src" not in head


def test_charts_and_words_of_both_languages_are_inside(report: str) -> None:
    script = next(part for part in parsed(report).script if part.startswith("window.gridcheckReport"))
    content = json.loads(script.removeprefix("window.gridcheckReport = ").rstrip(";"))

    assert set(content["figures"]) == {"zh", "en"}
    assert set(content["figures"]["zh"]) == set(re.findall(r'data-chart="([\w-]+)"', report))
    for county in plan_2025().counties["county"]:
        assert county in report
    assert "Yongji" in report
    assert report.count("合成数据") >= 2
    assert "Synthetic data" in report


def test_hostile_name_is_shown_as_text(report: str) -> None:
    assert HOSTILE_NAME not in report
    assert '=HYPERLINK("http://example.invalid","x")&lt;b&gt;' in report


def test_report_opens_in_the_language_that_was_asked_for() -> None:
    assert '<html lang="en" data-language="en">' in report_html(sample_results(), "en")


def test_report_warns_of_the_whole_plan_s_money_for_some_counties() -> None:
    results = sample_results()
    some = dataclasses.replace(results, summary={**results.summary, "whole_plan_budget_for_some_counties": True})

    assert "--budget" in report_html(some)
    assert "--budget" not in report_html(results)


def test_report_explains_states_grades_and_every_column(report: str) -> None:
    assert "above 100 % for 2 h on end" in report
    assert "green: C2 &gt; 0" in report
    assert "untransferred_households" in report


def test_script_data_cannot_end_the_script() -> None:
    results = sample_results()
    results.plan["measure"] = "</script><script>alert(1)"

    report = report_html(results)

    assert "</script><script>alert(1)" not in report
    assert len(parsed(report).script) == 3


def test_same_results_give_the_same_bytes(report: str, tmp_path: Path) -> None:
    write_report_html(sample_results(), tmp_path / "a.html")

    assert (tmp_path / "a.html").read_text(encoding="utf-8") == report


def test_area_without_result_is_counted_and_not_called_zero(report: str) -> None:
    assert "另有 1 个台区无有效计算结果" in report


def test_other_results_give_another_report(report: str) -> None:
    assert report_html(sample_results(Sample(seed=3))) != report


def test_element_escapes_text_and_attributes_but_not_html() -> None:
    shown = element("p", "a < b", Html("<b>c</b>"), title='"x" & y', data_chart="z")

    assert shown == '<p title="&quot;x&quot; &amp; y" data-chart="z">a &lt; b<b>c</b></p>'
