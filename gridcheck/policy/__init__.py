"""The 2025 clean-heating plan of Yuncheng: county targets, money, deadline."""

from __future__ import annotations

from gridcheck.policy.plan import Plan2025, plan_2025

__all__ = ["Plan2025", "plan_2025"]
