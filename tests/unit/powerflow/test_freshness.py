"""Compiled code does not outlive the sources it was made from."""

import importlib.util
import sys

from numba.core import config

from gridcheck.powerflow._kernels.freshness import announce_compilation, forget_stale_code


def test_compiled_code_goes_when_any_source_changes(tmp_path):
    (tmp_path / "layout.py").write_text("BLOCK = 32", encoding="utf-8")
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    compiled = cache / "balanced.sweep-1.py311.1.nbc"

    forget_stale_code(tmp_path)
    compiled.write_bytes(b"machine code")
    forget_stale_code(tmp_path)
    assert compiled.exists()

    (tmp_path / "layout.py").write_text("BLOCK = 64", encoding="utf-8")
    forget_stale_code(tmp_path)
    assert not compiled.exists()


def test_a_cache_elsewhere_is_found_where_numba_puts_it(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "elsewhere"))
    source = tmp_path / "sources" / "kernel.py"
    source.parent.mkdir()
    source.write_text("from numba import njit\n\n@njit(cache=True)\ndef one():\n    return 1\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("kernel", source)
    kernel = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kernel)

    forget_stale_code(source.parent)
    kernel.one()
    assert len(list((tmp_path / "elsewhere").rglob("*.nbc"))) == 1

    source.with_name("layout.py").write_text("BLOCK = 64", encoding="utf-8")
    forget_stale_code(source.parent)
    assert list((tmp_path / "elsewhere").rglob("*.nbc")) == []


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path):
    (tmp_path / "__pycache__").write_text("a file in the way", encoding="utf-8")

    forget_stale_code(tmp_path)


def test_compilation_is_announced_once_until_the_sources_change(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    (tmp_path / "kernel.py").write_text("a = 1", encoding="utf-8")
    forget_stale_code(tmp_path)

    announce_compilation(tmp_path)
    first = capsys.readouterr().err
    announce_compilation(tmp_path)
    again = capsys.readouterr().err
    (tmp_path / "kernel.py").write_text("a = 2", encoding="utf-8")
    forget_stale_code(tmp_path)
    announce_compilation(tmp_path)
    changed = capsys.readouterr().err

    assert first.count("\n") == 1
    assert "First use" in first
    assert again == ""
    assert changed == first


def test_nothing_is_announced_where_nothing_can_be_kept(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    announce_compilation(tmp_path / "nowhere")

    assert capsys.readouterr().err == ""


def test_nothing_is_announced_where_nobody_looks(tmp_path, capsys):
    (tmp_path / "kernel.py").write_text("a = 1", encoding="utf-8")
    forget_stale_code(tmp_path)

    announce_compilation(tmp_path)

    assert capsys.readouterr().err == ""
