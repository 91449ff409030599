"""Reinforcement: what could be built, what it brings, what to build with a budget, and the proof of it."""

from __future__ import annotations

from gridcheck.reinforcement.changes import build
from gridcheck.reinforcement.choose import Plan, PlanItem, choose_projects
from gridcheck.reinforcement.evaluate import find_projects
from gridcheck.reinforcement.measures import Candidate, Project
from gridcheck.reinforcement.plan_table import plan_table, projects_of_table
from gridcheck.reinforcement.proof import ProvedPlan, plan_until_proved, prove_plan
from gridcheck.reinforcement.situation import DecidedCounty
from gridcheck.reinforcement.terms import Terms, default_terms

__all__ = [
    "Candidate",
    "DecidedCounty",
    "Plan",
    "PlanItem",
    "Project",
    "ProvedPlan",
    "Terms",
    "build",
    "choose_projects",
    "default_terms",
    "find_projects",
    "plan_table",
    "plan_until_proved",
    "projects_of_table",
    "prove_plan",
]
