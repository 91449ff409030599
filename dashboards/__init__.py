"""Dashboards over a results folder: pages for planners, no domain logic, no solver.

``create_app(settings)`` builds an app, ``serve(settings, host, port)`` runs it. Everything the pages show
comes from the folder that `gridcheck run` wrote, read through `gridcheck.reports`.
"""

from __future__ import annotations

from dashboards.app import HEALTH_PATH, create_app, serve
from dashboards.settings import Settings

__all__ = ["HEALTH_PATH", "Settings", "create_app", "serve"]
