"""What the documents name exists, and what exists is named."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README.zh-CN.md"]
DOCUMENTS = [*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "NOTICE", "gridcheck/geography/facts/README.md"]
RESULT_FILES = ["decisions.csv", "plan.csv", "n_minus_1.csv", "areas.csv", "feeders.csv", "counties.csv", "report.xlsx"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_inside_the_repository_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)#]+)\)", text(name))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not ((ROOT / name).parent / target).exists()] == []


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md"])
def test_make_targets_that_are_named_exist(name):
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?= {2,}#|`|$| &&)", text(name), flags=re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize("file", RESULT_FILES)
def test_result_files_are_explained(name, file):
    assert f"`{file}`" in text(name)


@pytest.mark.parametrize(("name", "language"), [("COLUMNS.md", "en"), ("COLUMNS.zh-CN.md", "zh")])
def test_the_page_of_columns_is_what_the_program_says(name, language):
    """Write it anew with `columns_document(language)` after a change of a column or of its meaning."""
    from gridcheck.reports.provenance import columns_document

    assert text(name) == columns_document(language)


def test_readmes_name_the_same_options_and_files():
    options, files = (
        [set(re.findall(pattern, text(name))) for name in READMES]
        for pattern in (r"`(--[a-z]+)", r"`([a-z_]+\.(?:csv|parquet|html|xlsx|json))`")
    )
    assert options[0] == options[1]
    assert files[0] == files[1]


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_explained(name):
    import typer  # only this test needs the command line

    from gridcheck.cli import app

    commands = typer.main.get_command(app).commands
    assert commands
    assert [command for command in commands if f"gridcheck {command}" not in text(name)] == []


def test_every_room_is_described():
    rooms = sorted(path.parent.name for path in (ROOT / "gridcheck").glob("*/__init__.py"))
    modules = sorted(path.name for path in (ROOT / "gridcheck").glob("*.py") if path.name != "__init__.py")
    described = text("CONTRIBUTING.md")
    assert [room for room in rooms if f"`gridcheck/{room}/`" not in described] == []
    assert [module for module in modules if module not in described] == []
