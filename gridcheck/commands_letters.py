"""What the commands for letters and published room do: read, call one function, print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.reports.folder import Results
    from gridcheck.reports.letters import LetterChoice, LetterFormat, LetterStyle
    from gridcheck.reports.letters_facts import DeskFact
    from gridcheck.reports.letters_settings import LetterSettings
    from gridcheck.reports.texts import Language

_ROWS_ON_SCREEN = 20


def today() -> date:
    """Return the day that it is in China."""
    from gridcheck.reports.tables import LOCAL_TIME

    return datetime.now(LOCAL_TIME).date()


def letter_settings(path: Path | None, issued_on: date | None, *, for_check: bool) -> LetterSettings:
    """Read the settings of letters; a check has to name the date that the letter bears."""
    from gridcheck.reports.letters_settings import read_letter_settings

    if for_check and issued_on is None:
        raise InputError("The code covers the date of the letter: name it with --date YYYY-MM-DD.")
    return read_letter_settings(path, today() if issued_on is None else issued_on)


def letter_style(language: Language, letter_format: LetterFormat, *, together: bool) -> LetterStyle:
    """Return how letters are written."""
    from gridcheck.reports.letters import LetterStyle

    return LetterStyle(language=language, format=letter_format, together=together)


def letter_choice(application_ids: tuple[str, ...], village_code: str, county_code: str) -> LetterChoice:
    """Return which applications get a letter."""
    from gridcheck.reports.letters import LetterChoice

    return LetterChoice(application_ids=application_ids, village_code=village_code, county_code=county_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOrigin:
    """Where the answers stand that letters are about.

    Attributes
    ----------
    results : Path
        Folder that `gridcheck run` or `gridcheck decide` wrote.
    database : str
        Address of a ledger whose recorded answers are taken instead; empty for none.
    networks : Path or None
        Folder with one folder per county; the one that comes with gridcheck where not given.
    """

    results: Path
    database: str = ""
    networks: Path | None = None


def _answers(origin: LetterOrigin, choice: LetterChoice) -> tuple[Results, Mapping[str, DeskFact]]:
    """Return the answers, and what the desk says of them besides; nothing for the results of a study."""
    from gridcheck.ledger import open_ledger
    from gridcheck.reports.folder import read_results
    from gridcheck.reports.letters_answers import answers_of_ledger, is_answers_folder, read_answers
    from gridcheck.study import shipped_folder

    if origin.database:
        networks = origin.networks or shipped_folder("networks")
        with open_ledger(origin.database) as ledger:
            found = answers_of_ledger(ledger, networks, choice.application_ids, choice.county_code)
        return found.results, found.desk
    if is_answers_folder(origin.results):
        found = read_answers(origin.results, origin.networks or shipped_folder("networks"))
        return found.results, found.desk
    return read_results(origin.results), {}


def letters(
    origin: LetterOrigin, out: Path, choice: LetterChoice, settings: LetterSettings, style: LetterStyle
) -> None:
    """Write letters and print what was written."""
    from gridcheck.reports.letters import INDEX_FILE, write_letters
    from gridcheck.reports.letters_words import printable
    from gridcheck.reports.texts import label

    results, desk = _answers(origin, choice)
    index = write_letters(results, out, choice, settings, style, desk=desk)
    shown = index.assign(verdict=index["verdict"].map(lambda code: label("verdict", code, style.language)))
    # Ids come from files, and a terminal obeys what is hidden in them.
    rows = [
        [printable(str(row[name])) for name in ("number", "application_id", "verdict", "code")]
        for row in shown.head(_ROWS_ON_SCREEN).to_dict("records")
    ]
    headings = ["编号 number", "报装 application", "结论 verdict", "核验码 code"]
    terminal.print_table(f"{len(rows)} / {len(index)}", headings, rows)
    _say(f"完成 done: {len(index)} 份答复单 letters, {index['file'].nunique()} 个文件 files: {out}/ ({INDEX_FILE})")
    if index["synthetic"].any():
        _say("合成数据：均为样张，不得作为正式答复。 Synthetic data: specimens, no official replies.")


def verify(code: str, origin: LetterOrigin, application_ids: Sequence[str], settings: LetterSettings) -> bool:
    """Check the code of one letter and print the outcome; return whether it is right."""
    from gridcheck.reports.letters import verify_letter

    if len(application_ids) != 1:
        raise InputError("A code belongs to one letter: name its application id and no other.")
    results, desk = _answers(origin, letter_choice(tuple(application_ids), "", ""))
    genuine = verify_letter(code, results, application_ids[0], settings, desk=desk)
    _say(
        "一致：该单内容与结果文件夹的计算结果相同。 The code is right: the letter says what these results say."
        if genuine
        else "不一致：内容被改动，或来自另一次计算、另一日期、另一设置文件。 "
        "The code is wrong: the letter was altered, or comes from another run, date or settings file."
    )
    return genuine


def capacity(results: Path, out: Path, published_on: date | None, language: Language) -> None:
    """Write the room that is left and print it by county."""
    from gridcheck.reports.capacity import GRADES
    from gridcheck.reports.capacity_files import write_capacity
    from gridcheck.reports.folder import read_results

    day = today() if published_on is None else published_on
    found = write_capacity(read_results(results), out, day, language)
    names = ("county", *(f"areas_{grade}" for grade in GRADES), "more_heat_pumps_at_most")
    rows = [[row[name] for name in names] for row in found.counties.to_dict("records")]
    headings = ["县 county", "绿 green", "黄 yellow", "红 red", "无数据 no data"]
    headings.append("还可接热泵上限 heat pumps at most")
    terminal.print_table(f"{day}", headings, rows)
    unplaced = int(found.areas["lon"].isna().sum())
    if unplaced:
        _say(f"无坐标的台区 areas without a place on the map: {unplaced:,}")
    _say(f"完成 done: {out}/ (capacity.xlsx, capacity.geojson)")
    if found.synthetic:
        _say("合成数据：不代表任何真实设备。 Synthetic data: describes no real equipment.")


def _say(words: str) -> None:
    terminal.console().print(words, highlight=False, markup=False, soft_wrap=True)
