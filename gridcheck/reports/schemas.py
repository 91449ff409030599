"""What each file of a results folder holds: columns, kinds, units and the decimals they are written with.

This is the one place that knows the columns; `texts` holds the words for each in both languages (``column.<name>`` and
``meaning.<table>.<name>``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pandera.pandas as pa

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.errors import SchemaError

Kind = Literal["text", "integer", "real", "boolean", "time"]

STEP_MINUTES = 15  # of the curves of a results folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a results file.

    Attributes
    ----------
    name : str
        English code, as in the file.
    kind : {"text", "integer", "real", "boolean", "time"}
        What the cells are. A time is UTC inside and local time with its offset in the file.
    unit : str
        Unit of the numbers, "" for none.
    decimals : int
        Decimals of a real number in the file.
    apart_from : str
        Column from which a number that differs shall differ in the file too: it gets the decimals that this takes.
    nullable : bool
        Whether a cell may be empty.
    """

    name: str
    kind: Kind
    unit: str = ""
    decimals: int = 3
    nullable: bool = False
    apart_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """The columns of one results file.

    Attributes
    ----------
    name : str
        File name without its ending.
    columns : tuple of Column
        In the order of the file.
    key : tuple of str
        Columns that together occur once; empty where rows may repeat.
    optional : tuple of Column
        Columns that may follow; further ones beyond these are kept as text.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    optional: tuple[Column, ...] = ()

    @property
    def file_name(self) -> str:
        """Name of the file in a results folder."""
        return f"{self.name}.csv"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the file."""
        return tuple(column.name for column in self.columns)

    def present(self, table: pd.DataFrame) -> tuple[Column, ...]:
        """Return the columns of `table` that are known, in the order of the file."""
        return (*self.columns, *(column for column in self.optional if column.name in table.columns))

    def column(self, name: str) -> Column:
        """Return the column called `name`.

        Raises
        ------
        SchemaError
            If the table has no such column.
        """
        for column in (*self.columns, *self.optional):
            if column.name == name:
                return column
        raise SchemaError(f"{self.file_name} has no column {name!r}. Columns: {', '.join(self.column_names)}.")


def _text(name: str, *, nullable: bool = False) -> Column:
    return Column(name=name, kind="text", nullable=nullable)


def _integer(name: str, unit: str = "", *, nullable: bool = False) -> Column:
    return Column(name=name, kind="integer", unit=unit, nullable=nullable)


def _real(name: str, unit: str = "", decimals: int = 3, *, nullable: bool = False) -> Column:
    return Column(name=name, kind="real", unit=unit, decimals=decimals, nullable=nullable)


def _beside_limit(name: str, limit: str) -> Column:
    return Column(name=name, kind="real", nullable=True, apart_from=limit)


def _flag(name: str) -> Column:
    return Column(name=name, kind="boolean")


def _time(name: str) -> Column:
    return Column(name=name, kind="time", nullable=True)


# On every row, so that a file that is taken out of its folder still says so.
_SYNTHETIC = _flag("synthetic")

DECISIONS = TableSpec(
    name="decisions",
    key=("application_id",),
    columns=(
        _text("application_id"),
        _text("county_code"),
        _text("area_id"),
        _text("feeder_id"),
        _integer("queue_position"),
        _text("device"),
        _real("rated_kw", "kW", 2),
        _text("phase"),
        _text("verdict"),
        _text("conditions", nullable=True),
        _text("binding_level", nullable=True),
        _text("binding_element", nullable=True),
        _text("binding_quantity", nullable=True),
        _beside_limit("binding_value", "binding_limit"),
        _real("binding_limit", nullable=True),
        _text("limit_clause", nullable=True),
        _time("binding_time"),
        _real("probability", "1", 4, nullable=True),
        _real("margin_kw", "kW", 2, nullable=True),
        _text("blocked_by", nullable=True),
    ),
    optional=(_beside_limit("value_before", "binding_limit"), _text("village_code", nullable=True), _SYNTHETIC),
)

PLAN = TableSpec(
    name="plan",
    key=("project_id",),
    columns=(
        _integer("rank"),
        _text("project_id"),
        _text("county_code"),
        _text("feeder_id", nullable=True),
        _text("area_id", nullable=True),
        _text("measure"),
        _text("description", nullable=True),
        _real("cost_yuan", "yuan", 2),
        _real("cumulative_cost_yuan", "yuan", 2, nullable=True),
        _flag("chosen"),
        _integer("households_unlocked"),
        _real("overload_hours_removed", "h", 2),
        _real("undervoltage_hours_removed", "h", 2),
        _real("unsupplied_mwh_removed", "MWh", 4),
        _real("benefit_per_wan", "1", 4),
        _text("reason", nullable=True),
    ),
    optional=(
        *(_text(name, nullable=True) for name in ("outcome", "group", "measures")),
        _real("in_best_percent", "%", 1, nullable=True),
        _flag("chosen_robust"),
        _SYNTHETIC,
    ),
)

_OUTAGE_LOADS = ("demand", "served", "interrupted", "lost", "restored")

N_MINUS_1 = TableSpec(
    name="n_minus_1",
    columns=(
        _text("county_code"),
        _text("feeder_id", nullable=True),
        _text("outage_id"),
        _text("outage_kind"),
        _text("status"),
        _text("restored_by", nullable=True),
        _real("unsupplied_kw", "kW", 2, nullable=True),
        _integer("unsupplied_households", nullable=True),
        _real("worst_loading_percent", "%", 2, nullable=True),
        _real("worst_vm_pu", "pu", 5, nullable=True),
        _real("transfer_ratio", "1", 4, nullable=True),
    ),
    optional=(
        _text("supply_class", nullable=True),
        *(_real(f"{name}_kw", "kW", 2, nullable=True) for name in _OUTAGE_LOADS),
        *(_text(name, nullable=True) for name in ("tried", "tripped_by", "worst_loading_element", "worst_vm_bus")),
        *(_integer(f"{name}_households", nullable=True) for name in ("faulted", "untransferred")),
        _text("opened", nullable=True),
        _flag("by_remote"),
        _text("method", nullable=True),
        _flag("is_proved"),
        _real("tried_loading_percent", "%", 2, nullable=True),
        _real("tried_vm_pu", "pu", 5, nullable=True),
        _integer("stages"),
        _real("worst_loading_limit_percent", "%", 2, nullable=True),
        _real("restore_minutes", "min", 0, nullable=True),
        _real("unsupplied_household_hours", "h", 1, nullable=True),
        _integer("security_level", nullable=True),
        _real("security_must_serve_kw", "kW", 2, nullable=True),
        _real("security_minutes", "min", 0, nullable=True),
        *(_flag(f"security_{name}") for name in ("met", "required")),
        *(_text(name, nullable=True) for name in ("security_clause", "shed_areas")),
        *(_integer(f"{name}_households") for name in ("shed_gain", "bound")),
        *(_real(f"{name}_kw", "kW", 2) for name in ("shed_gain", "bound")),
        *(_real(f"hours_until_{limit}c", "h", 2, nullable=True) for limit in (12, 5)),
        _SYNTHETIC,
    ),
)

AREAS = TableSpec(
    name="areas",
    key=("area_id",),
    columns=(
        _text("area_id"),
        _text("county_code"),
        _text("feeder_id"),
        _text("village_code", nullable=True),
        _real("kva", "kVA", 1),
        *(_integer(name) for name in ("households", "electric_households")),
        _real("peak_kw", "kW", 2, nullable=True),
        _real("peak_loading_percent", "%", 2, nullable=True),
        _real("hot_spot_c", "°C", 2, nullable=True),
        _real("min_voltage_v", "V", 2, nullable=True),
        _real("neutral_percent", "%", 2, nullable=True),
        _real("unbalance_percent", "%", 2, nullable=True),
        _text("grade"),
        _real("c1_kw", "kW", 2, nullable=True),
        _real("c2_kw", "kW", 2, nullable=True),
        _integer("more_heat_pumps", nullable=True),
        _real("sustained_loading_percent", "%", 3, nullable=True),
    ),
    optional=(
        _text("village", nullable=True),
        _text("town", nullable=True),
        _real("lon", "degree", 5, nullable=True),
        _real("lat", "degree", 5, nullable=True),
        _text("substation_id", nullable=True),
        *(_integer(f"more_{device}", nullable=True) for device in DEVICE_CLASSES[1:]),
        _SYNTHETIC,
    ),
)

FEEDERS = TableSpec(
    name="feeders",
    key=("feeder_id",),
    columns=(
        _text("feeder_id"),
        _text("county_code"),
        _real("length_km", "km", 3),
        *(_integer(name) for name in ("areas", "households")),
        _real("peak_mw", "MW", 4, nullable=True),
        _real("peak_loading_percent", "%", 2, nullable=True),
        _real("min_vm_pu", "pu", 5, nullable=True),
        _text("n_minus_1"),
        _real("transfer_ratio", "1", 4, nullable=True),
        _text("grade"),
    ),
    optional=(
        *(_text(name, nullable=True) for name in ("name", "substation_id")),
        _real("peak_mw_before", "MW", 4, nullable=True),
        *(_integer(name) for name in ("outages", "insecure_outages")),
        _text("worst_outage_id", nullable=True),
        _real("worst_unsupplied_kw", "kW", 2, nullable=True),
        _real("n_minus_1_failing_hours", "h", 2, nullable=True),
        _text("n_minus_1_failing_outage", nullable=True),
        _real("transfer_ratio_least", "1", 4, nullable=True),
        _real("n_minus_1_room_kw", "kW", 1, nullable=True),
        _integer("n_minus_1_room_households", nullable=True),
        _text("n_minus_1_room_outage", nullable=True),
        *(_text(f"n_minus_1_{name}", nullable=True) for name in ("reason", "obstacle", "measure")),
        _real("n_minus_1_measure_yuan", "yuan", 2, nullable=True),
        _real("n_minus_1_room_with_way_kw", "kW", 1, nullable=True),
        *(_integer(name, nullable=True) for name in ("n_minus_1_room_with_way_households", "outages_without_way")),
        _text("n_minus_1_room_with_way_outage", nullable=True),
        _SYNTHETIC,
    ),
)

COUNTIES = TableSpec(
    name="counties",
    key=("county_code",),
    columns=(
        _text("county_code"),
        _text("county"),
        _integer("target_self_retrofit"),
        _integer("applications"),
        _integer("approved"),
        _integer("conditional"),
        _integer("deferred"),
        _integer("gap_to_target"),
        _real("budget_yuan", "yuan", 2),
        _integer("households_unlocked"),
        _real("subsidy_yuan", "yuan", 2),
    ),
    optional=(_SYNTHETIC,),
)

VIOLATIONS = TableSpec(
    name="violations",
    columns=(
        _text("county_code"),
        _text("feeder_id", nullable=True),
        _text("area_id", nullable=True),
        _text("element_kind"),
        _text("element_id"),
        _text("quantity"),
        _beside_limit("value", "limit"),
        _real("limit", nullable=True),
        _text("unit"),
        _text("clause", nullable=True),
        _time("time"),
        _real("hours_above", "h", 2, nullable=True),
    ),
    optional=(_beside_limit("value_before", "limit"), _flag("newly"), _SYNTHETIC),
)

# Columns of curves.parquet, whose cells in the last two are lists with one number for each step.
CURVE_COLUMNS = (
    _text("area_id"),
    _text("county_code"),
    _real("p_kw", "kW", 1, nullable=True),
    _real("loading_percent", "%", 1, nullable=True),
)

TABLES: Mapping[str, TableSpec] = {
    spec.name: spec for spec in (DECISIONS, PLAN, N_MINUS_1, AREAS, FEEDERS, COUNTIES, VIOLATIONS)
}

_DTYPES: Mapping[Kind, str] = {
    "text": "str",
    "integer": "Int64",
    "real": "float64",
    "boolean": "bool",
    "time": "datetime64[ns, UTC]",
}


def pandera_schema(spec: TableSpec) -> pa.DataFrameSchema:
    """Build the schema that a table must pass before it is written and after it is read.

    Columns beyond those of `spec` are allowed: they are kept as text.
    """
    required = {column.name for column in spec.columns}
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(_DTYPES[column.kind], nullable=column.nullable, required=column.name in required)
            for column in (*spec.columns, *spec.optional)
        },
        unique=list(spec.key) or None,
        strict=False,
        name=spec.name,
    )


def checked(table: pd.DataFrame, spec: TableSpec, where: str) -> pd.DataFrame:
    """Return `table` after checking it against `spec`.

    Parameters
    ----------
    table : DataFrame
        Rows whose columns already have the dtypes of the schema.
    where : str
        File named in the message.

    Raises
    ------
    SchemaError
        With one finding per faulty column and rule, naming the first rows.
    """
    try:
        return pandera_schema(spec).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        findings = [
            f"column {column!s}: {rule!s}, {len(rows)} case(s), first at row {rows['index'].iloc[0]!s}: "
            f"found {rows['failure_case'].iloc[0]!r}"
            for (column, rule), rows in cases.groupby(["column", "check"], sort=True, dropna=False)
        ]
        raise SchemaError(
            f"{where} breaks the rules of its columns (see gridcheck.reports.schemas).", findings
        ) from error
