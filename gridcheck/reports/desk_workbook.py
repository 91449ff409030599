"""The answers of the connection desk as a workbook for people: one sheet in Chinese, one in English."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import xlsxwriter

from gridcheck.reports import labels
from gridcheck.reports.desk_answers import DeskAnswers, desk_view
from gridcheck.reports.texts import LANGUAGES, Language, label, text
from gridcheck.reports.views import View, ViewColumn, shown_columns
from gridcheck.reports.workbook import CREATED, WORKBOOK_OPTIONS, make_styles, write_view

WORKBOOK_FILE = "answers.xlsx"


def answers_workbook(answers: DeskAnswers) -> bytes:
    """Return the bytes of the workbook; same answers, same bytes.

    Parameters
    ----------
    answers : DeskAnswers
        The answers, as `decisions.csv` and `probabilities.csv` hold them.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **WORKBOOK_OPTIONS})
    notes = {language: _note(answers, language) for language in LANGUAGES}
    book.set_properties(
        {"title": text("desk.answers", LANGUAGES[0]), "comments": notes[LANGUAGES[0]], "created": CREATED}
    )
    styles = make_styles(book)
    for language in LANGUAGES:
        sheet = book.add_worksheet(text("desk.sheet", language))
        write_view(sheet, answers_view(answers, language), styles, notes[language])
    book.close()
    return buffer.getvalue()


def _note(answers: DeskAnswers, language: Language) -> str:
    return text("desk.synthetic", language) if answers.synthetic else text("sentence.real_banner", language)


def answers_view(answers: DeskAnswers, language: Language) -> View:
    """Return the answers with their village, what was drawn, and what was broken before; empty columns are left out.

    Parameters
    ----------
    answers : DeskAnswers
        The answers.
    language : {"zh", "en"}
        Language of headings and words.
    """
    view, given = desk_view(answers, language), answers.table
    more: dict[str, tuple[ViewColumn, pd.Series]] = {}

    def add(name: str, cells: pd.Series, column: ViewColumn) -> None:
        more[name] = (replace(column, name=name, heading=text(f"desk.column_{name}", language)), cells)

    words = ViewColumn(name="", heading="")
    if "village_code" in given:
        add("village", given["village_code"].map(labels.village_name), words)
    for name in ("probability_low", "probability_high", "accepted_risk"):
        add(name, 100.0 * given[name], replace(words, shown="real", decimals=1))
    add("draws", given["draws"], replace(words, shown="integer"))
    joiner = text("sentence.joiner", language)
    add(
        "broken_before",
        given["broken_before"].map(
            lambda cell: joiner.join(label("quantity", code, language) for code in str(cell).split(";") if code)
        ),
        replace(words, shown="long"),
    )
    if "pre_approved" in given:
        yes = text("word.yes", language)
        add("pre_approved", given["pre_approved"].map(lambda cell: yes if str(cell).lower() == "true" else ""), words)
    table = view.table.assign(**{name: cells for name, (_, cells) in more.items()})
    columns = (*view.columns, *(column for column, _ in more.values()))
    whole = View(name=view.name, title=view.title, columns=columns, table=table)
    return replace(whole, columns=shown_columns(whole))
