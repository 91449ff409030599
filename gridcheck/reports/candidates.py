"""``candidates.csv``: what could be built and what each brings, as `gridcheck plan` reads it to choose again."""

from __future__ import annotations

from gridcheck.reports.schemas import Column, TableSpec

CANDIDATES = TableSpec(
    name="candidates",
    key=("project_id",),
    columns=(
        Column(name="project_id", kind="text"),
        Column(name="group", kind="text", nullable=True),
        Column(name="requires", kind="text", nullable=True),
        Column(name="cost_yuan", kind="real", unit="yuan", decimals=2),
        Column(name="households", kind="integer"),
        Column(name="risk_hours", kind="real", unit="h", decimals=2),
        Column(name="unlocks", kind="text", nullable=True),
        Column(name="county_code", kind="text"),
        Column(name="measure", kind="text"),
    ),
    optional=(Column(name="synthetic", kind="boolean"),),
)
"""One row per project, with the claims that the plan of the run was made with."""
