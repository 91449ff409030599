"""The text of a weather file, whatever wrote it; what is no text is refused by name."""

from __future__ import annotations

from pathlib import Path

from gridcheck.csv_tables import decoded
from gridcheck.errors import InputError

# Ten-minute values of thirty years are some 80 MB. [bytes]
_LARGEST = 200_000_000


def decoded_text(path: Path) -> tuple[str, str]:
    """Return the text of a file and its encoding: UTF-8, or else GB 18030, in which Chinese spreadsheets write CSV.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, too large, a workbook, a web page, or no text in either encoding.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise InputError(
                f"{path} has {size / 1e6:.0f} MB, a weather file at most {_LARGEST / 1e6:.0f} MB. Cut it to the "
                "winters that are studied."
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the name and the rights.") from error
    if not content.strip():
        raise InputError(f"{path} is empty. Export the weather again.")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InputError(
            f"{path} is a web page or XML, not a table; a login page is often saved instead of a download. Load it "
            "again."
        )
    try:
        return decoded(content)
    except ValueError as error:
        raise InputError(f"{path} is not text: {error}.") from error
