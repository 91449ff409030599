"""What the commands for letters and published room do: read, call one function, print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.reports.letters import LetterChoice, LetterFormat, LetterStyle
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


def letters(results: Path, out: Path, choice: LetterChoice, settings: LetterSettings, style: LetterStyle) -> None:
    """Write letters and print what was written."""
    from gridcheck.reports.folder import read_results
    from gridcheck.reports.letters import INDEX_FILE, write_letters
    from gridcheck.reports.letters_words import printable
    from gridcheck.reports.texts import label

    index = write_letters(read_results(results), out, choice, settings, style)
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


def verify(code: str, results: Path, application_ids: Sequence[str], settings: LetterSettings) -> bool:
    """Check the code of one letter and print the outcome; return whether it is right."""
    from gridcheck.reports.folder import read_results
    from gridcheck.reports.letters import verify_letter

    if len(application_ids) != 1:
        raise InputError("A code belongs to one letter: name its application id and no other.")
    genuine = verify_letter(code, read_results(results), application_ids[0], settings)
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
