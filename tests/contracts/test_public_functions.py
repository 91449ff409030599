"""What others may call is typed, documented and listed."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for room in ("gridcheck", "dashboards") for path in (ROOT / room).rglob("*.py"))
PACKAGES = sorted(path for path in (ROOT / "gridcheck").glob("*/__init__.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions of the module and methods of its public classes, without the private ones."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for item in node.body:
                if isinstance(item, Function) and not item.name.startswith("_"):
                    yield f"{node.name}.{item.name}", item


def untyped(function: Function) -> list[str]:
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    missing = [a.arg for a in named if a.annotation is None and a.arg not in ("self", "cls")]
    return missing if function.returns is not None else [*missing, "return"]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_public_functions_are_typed(path):
    assert {name: untyped(f) for name, f in public_functions(parse(path)) if untyped(f)} == {}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_public_functions_have_a_docstring(path):
    assert [name for name, f in public_functions(parse(path)) if not ast.get_docstring(f)] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_and_public_classes_have_a_docstring(path):
    tree = parse(path)
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert ast.get_docstring(tree), "the module says what it is for"
    assert bare == []


@pytest.mark.parametrize("path", PACKAGES, ids=relative)
def test_a_room_lists_what_it_offers(path):
    room = importlib.import_module(f"gridcheck.{path.parent.name}")
    assert len(set(room.__all__)) == len(room.__all__)
    assert [name for name in room.__all__ if not hasattr(room, name)] == []


def test_the_measures_can_fail():
    tree = ast.parse(
        "def open(a, *, b: int): ...\nclass Box:\n    def lid(self) -> None: ...\n    def _own(self): ...\n"
    )
    found = dict(public_functions(tree))
    assert list(found) == ["open", "Box.lid"]
    assert untyped(found["open"]) == ["a", "return"]
