"""Every key of a scenario is documented with the default and the bounds it really has, and shipped files are valid."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.scenario import LimitOverride, Scenario, read_scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(FOLDER.glob("*.toml"))
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the scenario file with its field."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, f"{path}{name}.")
        elif name == "limits":
            yield from keys(LimitOverride, "limits.<name>.")
        else:
            yield f"{path}{name}", field


KEYS = dict(keys(Scenario))


def rows() -> dict[str, list[str]]:
    """Rows of the tables of keys: unit, default, meaning, allowed."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in README.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1:] for row in cells if len(row) == 5}


def test_the_keys_are_found():
    assert {"name", "study.seed", "weather.wave", "limits.<name>.source", "reinforcement.budget_yuan"} <= set(KEYS)


def test_every_key_is_documented_and_nothing_else():
    assert sorted(rows()) == sorted(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_meaning_and_allowed_values_are_given(key):
    _, default, meaning, allowed = rows()[key]

    assert meaning
    assert allowed
    assert default


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


@pytest.mark.parametrize("key", [key for key in KEYS if not key.startswith("limits.")])
def test_the_default_is_the_real_one(key):
    written = rows()[key][1].strip("`")
    assert not KEYS[key].is_required()

    assert plain(tomllib.loads(f"x = {written}")["x"]) == plain(KEYS[key].default)


@pytest.mark.parametrize("key", KEYS)
def test_bounds_are_the_real_ones(key):
    said = rows()[key][3].replace(" 000", "000").replace("\N{NO-BREAK SPACE}", "")
    for rule in KEYS[key].metadata:
        for bound in ("ge", "le", "min_length", "max_length"):
            value = getattr(rule, bound, None)
            if value is not None:
                whole = isinstance(value, date) or value == int(value)
                shown = str(value) if isinstance(value, date) else f"{value:.0f}" if whole else f"{value:g}"
                assert re.search(rf"(?<![\d.]){shown}(?![\d.])", said), f"{key}: {bound} {value}"


@pytest.mark.parametrize("limit", DEFAULT_LIMITS.all(), ids=lambda limit: limit.name)
def test_every_limit_is_listed_with_its_value(limit):
    assert f"| `{limit.name}` | {limit.unit} | {limit.value:g} |" in README


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_scenarios_are_valid_and_listed(path):
    scenario = read_scenario(path)

    assert scenario.name == path.stem
    assert scenario.title_zh
    assert scenario.title_en
    assert f"| `{path.name}` |" in README


def test_the_default_scenario_writes_every_default_out():
    """`cold-wave.toml` says that it does, so that nobody has to look the defaults up."""
    content = tomllib.loads((FOLDER / "cold-wave.toml").read_text(encoding="utf-8"))
    written = {
        f"{section}.{key}": value
        for section, table in content.items()
        if isinstance(table, dict)
        for key, value in table.items()
    }

    inside = {key: field for key, field in KEYS.items() if "." in key and not key.startswith("limits.")}
    assert {key: plain(value) for key, value in written.items()} == {
        key: plain(field.default) for key, field in inside.items()
    }


def test_the_measures_can_fail():
    assert "weather.sunshine" not in rows()
    assert "study.seed" in dict(keys(Scenario))
