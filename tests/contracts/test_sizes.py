"""Modules, functions and argument lists stay small enough to be read (CONTRIBUTING, sizes)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for room in ("gridcheck", "dashboards") for path in (ROOT / room).rglob("*.py"))
KERNELS = [
    *sorted((ROOT / "gridcheck/powerflow/_kernels").glob("*.py")),
    ROOT / "gridcheck/demand/households/kernel.py",
]
COMMANDS = tuple(sorted((ROOT / "gridcheck").glob("cli*.py")))

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_KERNEL_LINES = 120
MAX_ARGUMENTS = 7

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def arguments(function: Function) -> int:
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(argument.arg not in ("self", "cls") for argument in named)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_package_is_found():
    assert len(MODULES) > 10


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_functions_are_short(path):
    allowed = MAX_KERNEL_LINES if path in KERNELS else MAX_FUNCTION_LINES
    assert {f.name: body_lines(f) for f in functions(path) if body_lines(f) > allowed} == {}


@pytest.mark.parametrize("path", [path for path in MODULES if path not in (*KERNELS, *COMMANDS)], ids=relative)
def test_functions_take_few_arguments(path):
    assert {f.name: arguments(f) for f in functions(path) if arguments(f) > MAX_ARGUMENTS} == {}


def test_the_measures_can_fail():
    source = "def long(self, a, b, *, c):\n    '''Doc.'''\n    x = 1\n\n    return x\n"
    function = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))
    assert (body_lines(function), arguments(function)) == (3, 3)
