"""Compiled code does not outlive the sources it was made from."""

from gridcheck.powerflow._kernels.freshness import forget_stale_code


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


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path):
    (tmp_path / "__pycache__").write_text("a file in the way", encoding="utf-8")

    forget_stale_code(tmp_path)
