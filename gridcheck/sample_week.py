"""A synthetic meter file of one county's cold-wave week, made from its own load flow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gridcheck.checks.assessment import area_power_mw, area_voltage_v, assess, full_course
from gridcheck.county_study import prepare_county
from gridcheck.demand.profiles import ClassCounts
from gridcheck.monitoring import TrueCurves, WrittenSample, write_sample_week
from gridcheck.scenario import Scenario
from gridcheck.study import county_tasks


def sample_week(
    scenario: Scenario, county_code: str, path: Path, *, seed: int, networks: Path | None = None, days: int = 7
) -> WrittenSample:
    """Write what the area meters of a county would have delivered in a cold-wave week.

    Parameters
    ----------
    scenario : Scenario
        Weather, demand and seed; the window is widened to `days`.
    county_code : str
        The county.
    path : Path
        CSV file to write.
    seed : int
        Seed of the meters' errors.
    networks : Path, optional
        Folder with one folder per county.
    days : int
        Length. [d]

    Returns
    -------
    WrittenSample
    """
    weather = scenario.weather.model_copy(update={"days": days})
    (task,) = county_tasks(
        scenario.model_copy(update={"weather": weather}), county_codes=(county_code,), networks=networks
    )
    case = prepare_county(task)
    course = full_course(case.profiles, case.limits)
    shape = (len(course.case), len(case.grid.areas))
    p_kw, q_kvar, voltage_v = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for tree in case.trees:
        own = ClassCounts(rated_kw=case.counts.rated_kw[tree.area], count=case.counts.count[tree.area])
        solved = assess(tree, course, own, case.limits)
        p_mw, q_mvar = area_power_mw(tree, course, own)
        p_kw[:, tree.area], q_kvar[:, tree.area] = 1000.0 * p_mw.T, 1000.0 * q_mvar.T
        voltage_v[:, tree.area] = area_voltage_v(tree, solved).T
    curves = TrueCurves(
        area_ids=tuple(case.grid.areas["area_id"]),
        kva=case.grid.areas["kva"].to_numpy(dtype=float),
        time_utc=case.profiles.time_utc,
        p_kw=p_kw,
        q_kvar=q_kvar,
        voltage_v=voltage_v,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_sample_week(path, curves, seed=seed)
