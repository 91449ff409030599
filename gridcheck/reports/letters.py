"""供电方案答复单: the replies to applications, one file each or one document for many, and how they are checked.

`write_letters` writes them from a results folder, `verify_letter` computes the code of one again. Neither needs a
solver: what a letter says was decided when the results were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from gridcheck.errors import InputError
from gridcheck.reports.export_folder import exported_folder
from gridcheck.reports.folder import Results
from gridcheck.reports.letters_docx import letters_docx
from gridcheck.reports.letters_facts import DeskFact, LetterSource, letter_code, one_by_one, same_code
from gridcheck.reports.letters_html import letters_html
from gridcheck.reports.letters_settings import LetterSettings
from gridcheck.reports.letters_words import LetterText, letter_text
from gridcheck.reports.place import safe_name
from gridcheck.reports.schemas import Column, TableSpec
from gridcheck.reports.tables import write_csv
from gridcheck.reports.texts import DEFAULT_LANGUAGE, Language

LetterFormat = Literal["docx", "html"]
INDEX_FILE = "letters.csv"
KIND = "letters"
_SHOWN_IDS = 25

INDEX = TableSpec(
    name="letters",
    key=("number",),
    columns=(
        *(Column(name=name, kind="text") for name in ("number", "application_id", "verdict", "code", "file")),
        Column(name="synthetic", kind="boolean"),
    ),
)
"""Columns of the list that lies beside the letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterChoice:
    """Which applications get a letter: those that fit everything that is named.

    Attributes
    ----------
    application_ids : tuple of str
        Ids; empty for all.
    village_code, county_code : str
        Codes; empty for all.
    """

    application_ids: tuple[str, ...] = ()
    village_code: str = ""
    county_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStyle:
    """How letters are written.

    Attributes
    ----------
    language : {"zh", "en"}
        Their language.
    format : {"docx", "html"}
        Word documents or pages.
    together : bool
        One document for all, each on a page of its own.
    """

    language: Language = DEFAULT_LANGUAGE
    format: LetterFormat = "docx"
    together: bool = False


def chosen_applications(results: Results, choice: LetterChoice) -> pd.DataFrame:
    """Return the rows of decisions.csv that get a letter.

    Raises
    ------
    InputError
        If nothing is named, an id is not among the results, or nothing is left.
    """
    if not (choice.application_ids or choice.village_code or choice.county_code):
        raise InputError("Name at least one application id, or a village with --village or a county with --county.")
    table = results.decisions
    known = set(table["application_id"])
    unknown = [name for name in dict.fromkeys(choice.application_ids) if name not in known]
    if unknown:
        raise InputError(
            f"{len(unknown)} of the ids are not in decisions.csv of {results.folder}; look them up there.",
            unknown[:_SHOWN_IDS],
        )
    if choice.application_ids:
        table = table[table["application_id"].isin(choice.application_ids)]
    if choice.county_code:
        table = table[table["county_code"] == choice.county_code]
    if choice.village_code:
        table = table[_village_codes(table, results.areas) == choice.village_code]
    if table.empty:
        asked = ", ".join(name for name in (choice.county_code, choice.village_code) if name)
        raise InputError(
            f"No application of {results.folder} fits what is named ({asked}); compare with decisions.csv."
        )
    return table


def _village_codes(decisions: pd.DataFrame, areas: pd.DataFrame) -> pd.Series:
    """Return the village of each application: its own, else that of its area."""
    of_area = decisions["area_id"].map(areas.set_index("area_id")["village_code"])
    return of_area if "village_code" not in decisions else decisions["village_code"].fillna(of_area)


def letters_of(
    results: Results,
    applications: pd.DataFrame,
    settings: LetterSettings,
    language: Language = DEFAULT_LANGUAGE,
    *,
    desk: Mapping[str, DeskFact] | None = None,
) -> list[LetterText]:
    """Return the letters on some rows of decisions.csv, in the order of the queue of each county.

    Parameters
    ----------
    results : Results
        The run.
    applications : DataFrame
        Rows of its decisions.
    settings : LetterSettings
        What all letters have in common.
    language : {"zh", "en"}
        Their language.
    desk : mapping of str to DeskFact, optional
        By application, for answers of the desk.
    """
    source = LetterSource(results, desk)
    return [letter_text(source.facts(row, settings), settings, language) for row in one_by_one(applications)]


_WRITERS: Mapping[LetterFormat, Callable[[Sequence[LetterText]], bytes]] = {
    "docx": letters_docx,
    "html": lambda letters: letters_html(letters).encode("utf-8"),
}


def write_letters(
    results: Results,
    out: Path,
    choice: LetterChoice,
    settings: LetterSettings,
    style: LetterStyle | None = None,
    *,
    desk: Mapping[str, DeskFact] | None = None,
) -> pd.DataFrame:
    """Write letters into a folder of their own, with a list of them; all of it appears, or nothing.

    Parameters
    ----------
    results : Results
        The run.
    out : Path
        Missing, empty, or an earlier folder of letters, which is replaced.
    choice : LetterChoice
        Which applications.
    settings : LetterSettings
        What all letters have in common.
    style : LetterStyle, optional
        Language, format, and whether they form one document.
    desk : mapping of str to DeskFact, optional
        By application, for answers of the desk.

    Returns
    -------
    DataFrame
        One row per letter, as in ``letters.csv``.

    Raises
    ------
    InputError
        If no application is found.
    LedgerError
        If `out` holds something else.
    """
    style = LetterStyle() if style is None else style
    rows = one_by_one(chosen_applications(results, choice))
    source = LetterSource(results, desk)
    facts = [source.facts(row, settings) for row in rows]
    texts = [letter_text(one, settings, style.language) for one in facts]
    names = [safe_name(f"{one.county_code}-{one.queue_position:06d}-{one.application_id}") for one in facts]
    if style.together:
        names = [KIND] * len(names)
    files = [f"{name}.{style.format}" for name in names]
    index = pd.DataFrame(
        {
            "number": [one.number for one in facts],
            "application_id": [one.application_id for one in facts],
            "verdict": [one.verdict for one in facts],
            "code": [letter.code for letter in texts],
            "file": files,
            "synthetic": [one.synthetic for one in facts],
        }
    )
    batches = [(files[0], texts)] if style.together else [(file, [one]) for file, one in zip(files, texts, strict=True)]
    with exported_folder(out, KIND, synthetic=bool(index["synthetic"].any())) as folder:
        for file, letters in batches:
            # The folder is put in its place as a whole, so its files need no such care.
            (folder / file).write_bytes(_WRITERS[style.format](letters))
        write_csv(index, INDEX, folder / INDEX_FILE)
    return index


def verify_letter(
    code: str,
    results: Results,
    application_id: str,
    settings: LetterSettings,
    *,
    desk: Mapping[str, DeskFact] | None = None,
) -> bool:
    """Tell whether a letter with this code says what the results say.

    Parameters
    ----------
    code : str
        As printed; spaces, dashes and small letters do not matter.
    results : Results
        The run that the letter comes from.
    application_id : str
        The application that it answers.
    settings : LetterSettings
        The settings it was written with; their date is the date of the letter.
    desk : mapping of str to DeskFact, optional
        By application, for answers of the desk.

    Raises
    ------
    InputError
        If the results do not hold the application.
    """
    row = one_by_one(chosen_applications(results, LetterChoice(application_ids=(application_id,))))[0]
    return same_code(code, letter_code(LetterSource(results, desk).facts(row, settings), settings))
