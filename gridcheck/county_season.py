"""The running subsidy of one county's newly connected households over a whole season."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcheck.connection.applications import Application
from gridcheck.demand.parameters import DemandParameters
from gridcheck.policy import plan_2025
from gridcheck.reports.rows import season_subsidy_yuan
from gridcheck.season_energy import season_kwh_per_kw

# Money follows the mean of a season, for which few homes do.
_SEASON_HOMES = 500


def season_subsidy(
    county_code: str, parameters: DemandParameters | None, connected: Sequence[Application], seed: int
) -> float:
    """Return what the running subsidy of some applications comes to in a typical season. [yuan]

    Parameters
    ----------
    county_code : str
        The county, for its weather.
    parameters : DemandParameters or None
        Of the demand model; None for those of the catalogue.
    connected : sequence of Application
        Approved applications.
    seed : int
        Seed of the typical winter.
    """
    plan = plan_2025()
    kwh_per_kw = season_kwh_per_kw(county_code, seed=seed, parameters=parameters, n_home=_SEASON_HOMES)
    rated = np.array([application.rated_kw for application in connected])
    energy = np.array([kwh_per_kw[application.device] for application in connected])
    running = season_subsidy_yuan(rated, energy, yuan_per_kwh=plan.subsidy_yuan_per_kwh, cap_yuan=plan.subsidy_cap_yuan)
    hardship = plan.hardship_yuan * sum(application.household_group == "hardship" for application in connected)
    return float(running.sum() + hardship)
