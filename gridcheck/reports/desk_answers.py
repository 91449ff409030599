"""Answers of the connection desk as people read them: the folder of `gridcheck decide`, or the verdicts of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.errors import LedgerError
from gridcheck.reports.export_folder import MANIFEST_FILE
from gridcheck.reports.folder import Results
from gridcheck.reports.schemas import DECISIONS
from gridcheck.reports.tables import normalised, read_table
from gridcheck.reports.texts import Language, text
from gridcheck.reports.views import View, verdicts_view

PROBABILITIES_FILE = "probabilities.csv"
DESK_VIEW = "desk"
_NUMBERS = ("probability_low", "probability_high", "draws", "accepted_risk")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskAnswers:
    """Answers, one row each.

    Attributes
    ----------
    table : DataFrame
        Columns of ``decisions.csv``; ``probability_low``, ``probability_high`` that the limit is kept, ``draws`` and
        ``accepted_risk`` [1], NaN where nothing was drawn; ``broken_before``, codes of quantities behind semicolons.
    folder : str
        Name of the folder of `gridcheck decide`; empty where they are those of a run.
    synthetic : bool
        Whether anything behind them is made up.
    """

    table: pd.DataFrame
    folder: str
    synthetic: bool


def read_desk_answers(folder: Path) -> DeskAnswers:
    """Read the folder that `gridcheck decide` wrote.

    Parameters
    ----------
    folder : Path
        The folder.

    Raises
    ------
    LedgerError
        If a file is missing, torn or breaks the rules of its columns.
    """
    decisions = read_table(folder / DECISIONS.file_name, DECISIONS)
    path = folder / PROBABILITIES_FILE
    try:
        drawn = pd.read_csv(path, dtype={"application_id": str, "broken_before": str}, encoding="utf-8-sig")
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        table = _joined(decisions, drawn)
    except (OSError, ValueError, KeyError) as error:
        raise LedgerError(f"{path} cannot be read: {error}. Run `gridcheck decide` again.") from error
    synthetic = bool(manifest.get("synthetic", True)) if isinstance(manifest, dict) else True
    return DeskAnswers(table=table, folder=folder.name, synthetic=synthetic)


def answers_of_desk(decisions: pd.DataFrame, drawn: pd.DataFrame, *, synthetic: bool) -> DeskAnswers:
    """Return answers that were made just now, before their folder has a name.

    Parameters
    ----------
    decisions, drawn : DataFrame
        Rows of ``decisions.csv`` and of ``probabilities.csv``.
    synthetic : bool
        Whether anything behind them is made up.
    """
    return DeskAnswers(
        table=_joined(normalised(decisions, DECISIONS, DECISIONS.file_name), drawn), folder="", synthetic=synthetic
    )


def _joined(decisions: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    return _completed(decisions.merge(drawn, on="application_id", how="left", validate="one_to_one"))


def answers_of_run(results: Results) -> DeskAnswers:
    """Return the verdicts of a run in the same shape; nothing of them was drawn."""
    return DeskAnswers(table=_completed(results.decisions), folder="", synthetic=results.synthetic)


def _completed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that has all columns, with numbers where there are any."""
    numbers = {
        name: pd.to_numeric(table[name], errors="coerce") if name in table else np.full(len(table), np.nan)
        for name in _NUMBERS
    }
    before = table["broken_before"].fillna("") if "broken_before" in table else ""
    # Nothing was drawn where no draw was made, whatever stands in the other cells.
    is_drawn = np.nan_to_num(np.asarray(numbers["draws"], dtype=np.float64)) > 0.0
    shown = {name: np.where(is_drawn, cells, np.nan) for name, cells in numbers.items()}
    return table.assign(**shown, broken_before=before)


def desk_view(answers: DeskAnswers, language: Language) -> View:
    """Show every answer with its verdict and the reason in words."""
    return replace(verdicts_view(answers.table, language), name=DESK_VIEW, title=text("desk.answers", language))
