"""The factory of the dashboards: settings in, a Dash app out, no state at module level."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import flask
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboards import grid
from dashboards.address import parse_address
from dashboards.door import guard, show_what_is_gone
from dashboards.pages import Page, area, desk, n_minus_1, origin, overview, plan, verdicts
from dashboards.security import add_security_headers
from dashboards.settings import Settings
from dashboards.shell import NEWS, TICK, VERSION, frame, shell
from dashboards.store import NO_VERSION, ResultsStore
from gridcheck.errors import InputError
from gridcheck.reports.texts import HTML_LANG, Language, text

HEALTH_PATH = "/healthz"

_INDEX = (
    '<!DOCTYPE html><html lang="%LANG%"><head>{%metas%}<title>%TITLE%</title>{%favicon%}{%css%}</head>'
    "<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"
)


def _pages() -> tuple[Page, ...]:
    return (
        Page(code="overview", path="/", layout=overview.layout, register=overview.register),
        Page(code="desk", path="/desk", layout=desk.layout, register=desk.register),
        Page(code="verdicts", path="/verdicts", layout=verdicts.layout, register=verdicts.register),
        Page(code="n_minus_1", path="/n-1", layout=n_minus_1.layout, register=n_minus_1.register),
        Page(code="plan", path="/plan", layout=plan.layout, register=plan.register),
        Page(code="area", path="/area", layout=area.layout, register=area.register),
        Page(code="origin", path="/data", layout=origin.layout, register=origin.register),
    )


def create_app(settings: Settings) -> Dash:
    """Build the dashboards over one results folder.

    Parameters
    ----------
    settings : Settings
        Results folder, readings store, language that comes first.

    Returns
    -------
    Dash
        Independent of every other app in the process; ``app.server`` is its Flask server.

    Notes
    -----
    The folder may be missing: the pages then say which command makes it.
    """
    store = ResultsStore(settings)
    pages = _pages()
    app = Dash(
        __name__,
        update_title="",
        index_string=_INDEX,
        serve_locally=True,
        suppress_callback_exceptions=True,  # pages come and go, so not every id exists at the start
        enable_mcp=False,
        assets_ignore=r".*\.(svg|json|txt)$",
        on_error=show_what_is_gone(settings.language),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = frame(settings.language)
    _register_shell(app, store, pages)
    grid.register(app, store)
    for page in pages:
        page.register(app, store)
    _add_health(app.server, store)
    _localise_first_answer(app.server, settings.language)
    guard(app, settings.language)
    add_security_headers(app)
    return app


def _register_shell(app: Dash, store: ResultsStore, pages: tuple[Page, ...]) -> None:
    @app.callback(
        Output("shell", "children"), Output(VERSION, "data"), Input("url", "pathname"), Input("url", "search")
    )
    def show(path: str | None, search: str | None) -> tuple[Component, str]:
        version = store.version()
        return shell(store, pages, parse_address(path, search, store.settings.language)), version

    @app.callback(
        Output(NEWS, "children"),
        Input(TICK, "n_intervals"),
        State(VERSION, "data"),
        State("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def tell_news(_ticks: int, shown: str | None, path: str | None, search: str | None) -> Any:
        if shown is None or store.version() == shown:
            return no_update
        address = parse_address(path, search, store.settings.language)
        return html.A(text("shell.news", address.language), href=address.in_language(address.language))


def _add_health(server: flask.Flask, store: ResultsStore) -> None:
    def health() -> flask.Response:
        version = store.version()
        return flask.jsonify(status="ok", results="missing" if version == NO_VERSION else "ready", version=version)

    # In front of the catch-all route of the pages.
    server.add_url_rule(HEALTH_PATH, view_func=health)


def _localise_first_answer(server: flask.Flask, default: Language) -> None:
    """Make the page that a browser loads first name its language and title."""

    def localise(response: flask.Response) -> flask.Response:
        if response.mimetype == "text/html" and not response.direct_passthrough:
            search = flask.request.query_string.decode("ascii", "replace")
            language = parse_address("/", search, default).language
            page = response.get_data(as_text=True)
            page = page.replace("%LANG%", HTML_LANG[language]).replace("%TITLE%", text("shell.title", language))
            # Shown by the renderer until the first layout arrives.
            page = page.replace("Loading...", text("shell.loading", language))
            response.set_data(page)
        return response

    server.after_request(localise)


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8050,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve the dashboards until interrupted.

    Parameters
    ----------
    settings : Settings
        What to serve.
    host : str
        Address to listen on; the default is reached from this computer only.
    port : int
        Port to listen on.
    ready : callable, optional
        Called when the server listens.

    Raises
    ------
    InputError
        If nothing can be listened on there.
    """
    from waitress import create_server

    with _listening(host, port) as listener:
        server = create_server(create_app(settings).server, sockets=[listener], threads=8, ident=None)
        if ready is not None:
            ready()
        server.run()


def _listening(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # A name may stand for several addresses; the one of the older protocol is reached from everywhere.
        family, *_, address = min(found, key=lambda item: item[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"Nothing can be served on {host}:{port}: {reason}. Choose another address or port with --host and --port."
        ) from error
