"""A folder of the desk's answers as `gridcheck decide` writes it, from decisions that nobody computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.reports.desk_answers import PROBABILITIES_FILE
from gridcheck.reports.export_folder import exported_folder
from gridcheck.reports.schemas import DECISIONS
from gridcheck.reports.tables import csv_bytes, write_bytes


def write_desk_folder(folder: Path, decisions: pd.DataFrame, *, risk: float = 0.05, synthetic: bool = True) -> Path:
    """Write answers of which every second one was judged by draws: 60 of 1000 break a limit, 4 to 9 %."""
    table = decisions.assign(synthetic=synthetic)
    is_drawn = np.arange(len(table)) % 2 == 0
    table["probability"] = np.where(is_drawn, 0.94, np.nan)
    drawn = pd.DataFrame(
        {
            "application_id": table["application_id"],
            "probability_low": np.where(is_drawn, 0.91, np.nan),
            "probability_high": np.where(is_drawn, 0.96, np.nan),
            "draws": np.where(is_drawn, 1000, 0),
            "broken_before": np.where(is_drawn, "meter_voltage_v;phase_loading_percent", ""),
            "accepted_risk": risk,
        }
    )
    with exported_folder(folder, "decisions", synthetic=lambda: synthetic) as place:
        write_bytes(place / DECISIONS.file_name, csv_bytes(table, DECISIONS))
        write_bytes(place / PROBABILITIES_FILE, drawn.to_csv(index=False).encode())
    return folder
