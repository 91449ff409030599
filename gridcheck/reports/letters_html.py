"""Letters as one HTML file: prints on A4, reads on a telephone, and asks nothing of any network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

from gridcheck.reports.letters_words import LetterText, Section
from gridcheck.reports.markup import Html, element, joined
from gridcheck.reports.texts import HTML_LANG, text

# No source may be fetched and no script runs; the style is the one written into the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return resources.files("gridcheck.reports").joinpath("letters.css").read_text(encoding="utf-8")


def letters_html(letters: Sequence[LetterText]) -> str:
    """Return letters of one language as one document, each on a page of its own.

    Parameters
    ----------
    letters : sequence of LetterText
        At least one.
    """
    first = letters[0]
    title = first.title if len(letters) > 1 else f"{first.title} {first.number}"
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        Html(f"<style>{_style()}</style>"),
    )
    body = element("body", [_letter(letter) for letter in letters])
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=HTML_LANG[first.language])}\n"


def _letter(letter: LetterText) -> Html:
    specimen = [element("p", letter.specimen, class_="specimen", role="note")] if letter.specimen else []
    watermark = (
        [
            element(
                "div",
                element("span", text("letter.watermark", letter.language)),
                class_="watermark",
                aria_hidden="true",
            )
        ]
        if letter.specimen
        else []
    )
    verdict = element(
        "div",
        element("strong", letter.verdict),
        element("span", letter.reply),
        class_="verdict",
        style=f"border-color:{letter.colour}",
    )
    return element(
        "article",
        watermark,
        specimen,
        element("h1", letter.title),
        element("p", element("span", letter.number), element("span", letter.dated), class_="head"),
        verdict,
        [_section(section, letter.code) for section in letter.sections],
        element("div", [element("span", line) for line in letter.signature], class_="signature"),
        [element("p", note, class_="note") for note in letter.notes],
    )


def _section(section: Section, code: str) -> Html:
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            element("td", value, **({"class_": "code"} if value == code else {})),
        )
        for name, value in section.rows
    ]
    table = [element("table", element("tbody", rows))] if rows else []
    return joined([element("h2", section.heading), table, [element("p", line) for line in section.lines]])
