"""Monitoring: 96-point readings of areas in, a store that keeps them, and the alarms of a day.

`ingest_file` takes a CSV file or a workbook into a `ReadingsStore`; `find_alarms` judges a day of it against the
limits; `write_sample_week` writes a synthetic file to try it with. Forecasts and the life cycle of alarms
(acknowledging, shelving) are not here yet.
"""

from gridcheck.monitoring.alarms import find_alarms
from gridcheck.monitoring.ingest import IngestReport, ingest_file
from gridcheck.monitoring.readings import Measured, TimeLabel
from gridcheck.monitoring.sample import MeterModel, TrueCurves, WrittenSample, write_sample_week
from gridcheck.monitoring.store import ReadingsStore

__all__ = [
    "IngestReport",
    "Measured",
    "MeterModel",
    "ReadingsStore",
    "TimeLabel",
    "TrueCurves",
    "WrittenSample",
    "find_alarms",
    "ingest_file",
    "write_sample_week",
]
