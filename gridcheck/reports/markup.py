"""A few functions that build HTML text in which everything from a file is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from gridcheck.reports.texts import HTML_LANG, LANGUAGES, Language

_VOID = frozenset({"meta", "br", "hr", "img", "link", "col"})


class Html(str):
    """Text that is HTML already; everything else is escaped when it becomes part of an element."""

    __slots__ = ()


Child = str | Sequence["Html"]


def element(name: str, *children: Child, **attributes: str) -> Html:
    """Return one element.

    Attribute names are given with a trailing underscore where Python reserves the word, and with
    ``_`` for ``-``.

    Examples
    --------
    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for key, value in attributes.items()
    )
    if name in _VOID:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Html:
    """Return children one after the other, escaping those that are not HTML yet."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, str):
            parts.append(escape(child, quote=False))
        else:
            parts.append(joined(child))
    return Html("".join(parts))


def both(make: Callable[[Language], Child], name: str = "span") -> Html:
    """Return `make` in every language, each in an element that the page shows or hides."""
    return joined(
        [element(name, make(language), class_=f"in-{language}", lang=HTML_LANG[language]) for language in LANGUAGES]
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, classes: Sequence[str], caption: str) -> Html:
    """Return a table with a caption.

    Parameters
    ----------
    headings : sequence of str
        One per column.
    rows : iterable of sequence of str
        Cells, already formatted.
    classes : sequence of str
        Class of each column: ``number`` (set right), ``words`` (kept on one line) or ``long``.
    caption : str
        One sentence that says what the table shows.
    """
    head = element(
        "tr",
        [element("th", heading, scope="col", class_=kind) for heading, kind in zip(headings, classes, strict=True)],
    )
    body = [
        element("tr", [element("td", cell, class_=kind) for cell, kind in zip(row, classes, strict=True)])
        for row in rows
    ]
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", body))
    # A wide table scrolls inside its own frame, so that the page itself never scrolls sideways.
    return element("div", whole, class_="table-frame", tabindex="0", role="region", aria_label=caption)
