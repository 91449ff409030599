"""One run of the smallest county, shared by the tests that only look at what it wrote."""

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import YUANQU, gridcheck


@pytest.fixture(scope="session")
def yuanqu(tmp_path_factory) -> Path:
    """The results folder of the smallest county; tests that change anything take a copy."""
    out = tmp_path_factory.mktemp("yuanqu") / "out"
    result = gridcheck("run", "--county", YUANQU, "--out", out)
    assert result.exit_code in (0, 1), result.output
    return out


@pytest.fixture
def results_copy(yuanqu, tmp_path) -> Path:
    """A copy of the results folder that a test may change."""
    return Path(shutil.copytree(yuanqu, tmp_path / "results"))
