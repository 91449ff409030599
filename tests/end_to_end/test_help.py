"""`--help` of every command: there, in words, and without the libraries that take seconds to import."""

import subprocess
import sys

import pytest
import typer

from gridcheck import __version__
from gridcheck.cli import app
from tests.support.command_line import ROOT, gridcheck

HEAVY = {"duckdb", "numba", "numpy", "pandapower", "pandas", "pandera", "plotly", "pyarrow", "scipy"}


def commands() -> list[tuple[str, ...]]:
    root = typer.main.get_command(app)
    found: list[tuple[str, ...]] = [()]
    for name, command in root.commands.items():
        found.append((name,))
        found += [(name, inner) for inner in getattr(command, "commands", {})]
    return found


def test_the_commands_of_a_planner():
    assert {" ".join(path) for path in commands()} >= {
        "run", "explain", "networks build", "networks validate", "powerflow", "n-1", "ingest", "alarms",
        "sample-readings", "serve",
    }  # fmt: skip


@pytest.mark.parametrize("path", commands(), ids=lambda path: " ".join(path) or "gridcheck")
def test_every_command_and_option_is_explained(path):
    result = gridcheck(*path, "--help")

    assert result.exit_code == 0
    command = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{parameter.name} of {' '.join(path)}"
        for option in parameter.opts:
            assert option.startswith("--") is False or option in result.output


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom gridcheck.cli import app\n"
        f"for path in {commands()!r}:\n"
        "    assert CliRunner().invoke(app, [*path, '--help']).exit_code == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert HEAVY & set(done.stdout.split()) == set()


def test_version():
    result = gridcheck("--version")

    assert (result.exit_code, result.stdout) == (0, f"gridcheck {__version__}\n")


def test_nothing_asked_is_help():
    result = gridcheck()

    assert "Usage" in result.output
    assert "explain" in result.output
