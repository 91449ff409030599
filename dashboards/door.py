"""The door of the server: a request that no page of ours sends is answered with 400 before any callback sees it.

A callback may rely on what is checked here: how many values it gets, from which components, and of which kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import flask
from dash import Dash, set_props

from dashboards.shell import NEWS
from gridcheck.errors import GridcheckError
from gridcheck.reports.texts import Language, text

_UPDATE = "/_dash-update-component"
_BAD_REQUEST = 400
# What a page sends is five levels deep; a filter adds three.
_MAX_DEPTH = 24
_MAX_TEXT = 10_000
_MAX_SELECTED = 100

Kind = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= _MAX_TEXT)


def _is_whole(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _is_object(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_identity(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and all(isinstance(part, str) for part in value.values()))


def _is_grid(value: Any) -> bool:
    return isinstance(value, dict) and _is_identity(value) and "table" in value


def _are_rows(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) <= _MAX_SELECTED and all(isinstance(row, dict) for row in value)
    )


def _is_rows_request(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and _is_whole(value.get("startRow"))
        and _is_whole(value.get("endRow"))
        and _is_object(value.get("filterModel"))
        and (value.get("sortModel") is None or _are_rows(value["sortModel"]))
    )


KINDS: Mapping[str, Kind] = {
    "pathname": _is_text,
    "search": _is_text,
    "value": _is_text,
    "data": _is_text,
    "n_intervals": _is_whole,
    "id": _is_grid,
    "filterModel": _is_object,
    "selectedRows": _are_rows,
    "getRowsRequest": _is_rows_request,
}
"""What a property of a component may be, for every property that a callback reads."""


def guard(app: Dash, default: Language) -> None:
    """Make `app` refuse what its pages cannot have sent. To be called after all callbacks are registered."""
    server: flask.Flask = app.server

    def check() -> flask.Response | None:
        request = flask.request
        if request.method != "POST" or not request.path.endswith(_UPDATE):
            return None
        try:
            body = request.get_json(silent=True)
        except RecursionError:
            body = None
        if _is_update(body, app.callback_map):
            return None
        return flask.Response(text("page.bad_request", default), status=_BAD_REQUEST, mimetype="text/plain")

    server.before_request(check)


def show_what_is_gone(default: Language) -> Callable[[Exception], None]:
    """Return what a callback does that finds no results: it says so on the page and changes nothing else.

    Anything but an error of gridcheck's own tree is a fault of the program and stays one.
    """

    def handle(error: Exception) -> None:
        if not isinstance(error, GridcheckError):
            raise error
        set_props(NEWS, {"children": text("page.results_gone", default)})

    return handle


def _is_update(body: Any, callbacks: Mapping[str, Any]) -> bool:
    """Tell whether `body` asks for a callback that there is, with values that it can take."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str) or not _is_sane(body):
        return False
    callback = callbacks.get(body["output"])
    changed = body.get("changedPropIds", [])
    return (
        callback is not None
        and "callback" in callback
        and isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
        and _fit_outputs(body.get("outputs"), body["output"])
        and _fit(body.get("inputs", []), callback["inputs"])
        and _fit(body.get("state", []), callback["state"])
    )


def _fit_outputs(given: Any, registered: str) -> bool:
    """Tell whether the outputs are those of the callback, whose name joins them with dots."""
    is_many = registered.startswith("..")
    names = registered[2:-2].split("...") if is_many else [registered]
    parts = given if is_many else [given]
    return (
        isinstance(parts, list)
        and len(parts) == len(names)
        and all(
            isinstance(one, dict)
            and _is_identity(one.get("id"))
            and one.get("property") == name.rpartition(".")[2]
            and _is_one_of(one["id"], name.rpartition(".")[0])
            for one, name in zip(parts, names, strict=True)
        )
    )


def _fit(given: Any, wanted: list[dict[str, Any]]) -> bool:
    return (
        isinstance(given, list)
        and len(given) == len(wanted)
        and all(_fits(one, expected) for one, expected in zip(given, wanted, strict=True))
    )


def _fits(one: Any, expected: Mapping[str, Any]) -> bool:
    is_many = '["ALL"]' in str(expected["id"])
    if is_many != isinstance(one, list):
        return False
    kind = KINDS.get(expected["property"])
    return kind is not None and all(
        isinstance(part, dict)
        and part.get("property") == expected["property"]
        and _is_identity(part.get("id"))
        and _is_one_of(part["id"], expected["id"])
        and kind(part.get("value"))
        for part in (one if is_many else [one])
    )


def _is_one_of(identity: Any, registered: str) -> bool:
    """Tell whether an id fits the one that a callback is registered for; in that, a list stands for any text."""
    if not registered.startswith("{"):
        return bool(identity == registered)
    parts = json.loads(registered)
    return (
        isinstance(identity, dict)
        and identity.keys() == parts.keys()
        and all(isinstance(part, list) or identity[key] == part for key, part in parts.items())
    )


def _is_sane(body: Any) -> bool:
    """Tell whether nothing is nested deeper than a page nests it, and every text can be written."""
    level = [body]
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if isinstance(node, str) and not _can_be_written(node):
                return False
            if isinstance(node, dict):
                below += [*node, *node.values()]
            elif isinstance(node, list):
                below += node
        if not below:
            return True
        level = below
    return False


def _can_be_written(text_given: str) -> bool:
    try:
        text_given.encode()
    except UnicodeEncodeError:
        return False
    return True
