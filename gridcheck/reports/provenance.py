"""Where the numbers of a run come from, as rows for a screen or a sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gridcheck.reports.applications_rejected import APPLICATIONS_REJECTED
from gridcheck.reports.area_outages import AREA_OUTAGES
from gridcheck.reports.candidates import CANDIDATES
from gridcheck.reports.curves import CURVES_FILE
from gridcheck.reports.folder import Summary
from gridcheck.reports.labels import clause_text, number
from gridcheck.reports.plan_items import PLAN_ITEMS
from gridcheck.reports.schemas import CURVE_COLUMNS, TABLES
from gridcheck.reports.switching_sheets import SWITCHING_SHEETS
from gridcheck.reports.texts import Language, codes, column_label, column_meaning, is_known, label, text

# Parts of the summary that have a section of their own.
_ELSEWHERE = frozenset({"around", "files", "limits", "limits_of_model", "totals", "performance"})
_SHORT_HASH = 12
_SHA256 = re.compile(r"[0-9a-f]{64}")


def provenance_rows(summary: Summary, language: Language) -> list[tuple[str, str]]:
    """Return item and value of everything the summary says about the inputs of the run."""
    rows = [(text("provenance.synthetic", language), _truth(summary.get("synthetic", True), language))]
    for path, value in _leaves({key: summary[key] for key in sorted(summary) if key not in _ELSEWHERE}):
        if path != ("synthetic",):
            rows.append((_item(path, language), _shown(value, language)))
    return rows


def _leaves(node: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key in sorted(node):
        value = node[key]
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _item(path: tuple[str, ...], language: Language) -> str:
    return " / ".join(label("provenance", part, language) if is_known("provenance", part) else part for part in path)


def _truth(value: Any, language: Language) -> str:
    return text("word.yes" if value else "word.no", language)


def _shown(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return _truth(value, language)
    if value is None:
        return text("word.none", language)
    if isinstance(value, list):
        return text("sentence.joiner", language).join(_shown(item, language) for item in value)
    if isinstance(value, str) and _SHA256.fullmatch(value):
        return f"{value[:_SHORT_HASH]}…"
    if isinstance(value, str):
        return label("provenance_value", value, language)
    # A seed or a version keeps its digits as they are; a measured number is grouped.
    return f"{value:,.10g}" if isinstance(value, float) else f"{value}"


def file_rows(summary: Summary) -> list[tuple[str, str, str]]:
    """Return name, number of rows and beginning of the SHA-256 of each results file."""
    files = summary.get("files", {})
    return [
        (name, number(files[name].get("rows")), str(files[name].get("sha256", ""))[:_SHORT_HASH])
        for name in sorted(files)
    ]


def limit_rows(summary: Summary, language: Language) -> list[tuple[str, str, str, str]]:
    """Return name, value with unit, clause and confidence of each limit that the run used."""
    return [
        (
            label("quantity" if is_known("quantity", str(item["name"])) else "limit", item["name"], language),
            f"{item['value']:g} {label('unit_word', item.get('unit', ''), language)}".strip(),
            clause_text(item.get("clause", ""), language),
            label("confidence", item.get("confidence", ""), language),
        )
        for item in summary.get("limits", [])
        if isinstance(item, Mapping)
    ]


def model_limits(summary: Summary, language: Language) -> list[str]:
    """Return what the model does not do, in sentences: those of the run, else the program's own.

    The run gives codes of the section ``model_limit``, or sentences as ``{"zh": ..., "en": ...}``.
    """
    given = summary.get("limits_of_model", [])
    own = [
        str(item.get(language, "")) if isinstance(item, Mapping) else label("model_limit", item, language)
        for item in given
    ]
    return own or [label("model_limit", code, language) for code in codes("model_limit")]


def definition_rows(language: Language) -> list[tuple[str, str, str, str, str]]:
    """Return table, code, heading, unit and meaning of every column of the results files."""
    return [
        (
            file_name,
            column.name,
            column_label(table, column.name, language),
            label("unit_word", column.unit, language),
            column_meaning(table, column.name, language),
        )
        for table, file_name, columns in (
            *(
                (spec.name, spec.file_name, (*spec.columns, *spec.optional))
                for spec in (
                    *TABLES.values(),
                    CANDIDATES,
                    AREA_OUTAGES,
                    SWITCHING_SHEETS,
                    PLAN_ITEMS,
                    APPLICATIONS_REJECTED,
                )
            ),
            ("curves", CURVES_FILE, CURVE_COLUMNS),
        )
        for column in columns
    ]


def columns_document(language: Language) -> str:
    """Return the page that explains every column, as it stands in the repository beside the README."""
    lines = [f"# {text('document.columns_title', language)}", "", text("document.columns_note", language)]
    heading = " | ".join(text(f"document.{key}", language) for key in ("column", "unit", "meaning"))
    file_name = ""
    for file, code, _, unit, meaning in definition_rows(language):
        if file != file_name:
            file_name = file
            lines += ["", f"## `{file}`", "", f"| {heading} |", "|---|---|---|"]
        lines.append(f"| `{code}` | {unit} | {meaning} |")
    return "\n".join(lines) + "\n"
