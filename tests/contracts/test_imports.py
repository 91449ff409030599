"""Importing gridcheck is light, and what it imports from outside is declared."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pandapower", "numba", "dash", "plotly", "scipy", "pandera", "duckdb", "pyarrow")
# Declared for what others need at run time: the time-zone database where the system has none.
NOT_IMPORTED = {"tzdata"}
# Packages whose module has another name.
MODULE_OF = {"dss_python": "dss", "python_docx": "docx"}


@functools.cache
def modules_after(statement: str) -> frozenset[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return frozenset(name.split(".")[0] for name in done.stdout.split())


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_the_package_leaves_heavy_libraries_out(heavy):
    assert heavy not in modules_after("import gridcheck")


@pytest.mark.parametrize("room", ["geography", "policy", "catalogue", "limits"])
def test_facts_need_pandas_only(room):
    # pandas itself looks for pyarrow when it is imported.
    heavy = set(HEAVY) - {"pyarrow"}
    assert heavy & modules_after(f"import gridcheck.{room}") == set()


def test_a_heavy_import_would_be_seen():
    assert "pandas" in modules_after("import gridcheck.geography")


def imported_from_outside(room: str) -> set[str]:
    names: set[str] = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"gridcheck", "dashboards", "tests"}


def declared(*, extra: str = "") -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    names = [re.split(r"[<>=~!\[; ]", line, maxsplit=1)[0] for line in lines]
    return {name.replace("-", "_") for name in names}


def modules_of(names: set[str]) -> set[str]:
    return {MODULE_OF.get(name, name) for name in names}


def test_every_declared_dependency_is_imported():
    assert modules_of(declared() - NOT_IMPORTED) - imported_from_outside("gridcheck") == set()


def test_every_import_is_declared():
    # Figures are drawn with the library of the dashboards and come with their extra.
    assert imported_from_outside("gridcheck") - modules_of(declared()) - declared(extra="dash") == set()


def test_the_dash_extra_covers_the_dashboards():
    # The server that serves the screens is started by the command.
    assert imported_from_outside("dashboards") <= declared() | declared(extra="dash")


def test_the_tests_need_nothing_but_the_extras():
    known = declared() | declared(extra="dash") | declared(extra="dev")
    assert imported_from_outside("tests") - modules_of(known) == set()


def test_every_declared_dependency_is_pinned():
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text("utf-8").split()
    }
    wanted = declared() | declared(extra="dash") | declared(extra="dev")
    assert {name.lower().replace("_", "-") for name in wanted} <= pinned
