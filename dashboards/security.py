"""Headers of every answer: nothing is fetched from elsewhere, nothing may frame the pages or guess types."""

from __future__ import annotations

from dash import Dash
from flask import Response

_POLICY = (
    "default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_NOT_STORED = ("text/html", "application/json")
# A grid asks for a page of rows; nothing a browser sends is longer than this. [bytes]
MAX_REQUEST_BYTES = 1_000_000


def add_security_headers(app: Dash) -> None:
    """Make `app` send a strict content security policy and its companions with every answer.

    To be called after all callbacks are registered, because the policy names the hashes of inline scripts.
    """
    hashes = " ".join(f"'{given.strip(chr(39))}'" for given in app.csp_hashes())
    policy = _POLICY.format(hashes=hashes)
    app.server.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES

    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        for name, value in _FIXED_HEADERS.items():
            response.headers[name] = value
        if response.mimetype in _NOT_STORED:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.server.after_request(add_headers)
