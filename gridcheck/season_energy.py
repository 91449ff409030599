"""Heating energy that a season is expected to take, for homes that nobody has metered."""

from __future__ import annotations

from collections.abc import Sequence

from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.profiles import class_profiles
from gridcheck.ledger import Claim
from gridcheck.study_inputs import season_weather

METHOD = "rated input x simulated full-load hours of a typical season of 121 days [E]"
# Money follows the mean of a season, for which few homes do.
_HOMES = 200


def season_kwh_per_kw(
    county_code: str, *, seed: int, parameters: DemandParameters | None = None, n_home: int = _HOMES
) -> dict[str, float]:
    """Return the energy of a typical season over the rated input, by class of heater. [kWh/kW]

    Parameters
    ----------
    county_code : str
        The county, for its weather.
    seed : int
        Seed of homes and weather.
    parameters : DemandParameters, optional
        Of the demand model; those of the catalogue where not given.
    n_home : int
        Simulated homes of each class.
    """
    season = class_profiles(season_weather(county_code, seed), parameters=parameters, seed=seed, n_home=n_home)
    return dict(zip(season.classes, (season.mean.sum(axis=0) * season.duration_h).tolist(), strict=True))


def expected_kwh(claims: Sequence[Claim], *, seed: int) -> dict[str, float]:
    r"""Return the heating energy that claims without a record are expected to take in a season. [kWh]

    .. math:: E = P_r \sum_t \bar{p}_t \Delta t

    with the rated input P_r [kW] and the mean power per rated input of simulated homes of the same class over the
    typical season of the county. An estimate (E).

    Parameters
    ----------
    claims : sequence of Claim
        What is entitled; only claims with running subsidy and without recorded energy are looked at.
    seed : int
        Seed of homes and weather.

    Returns
    -------
    dict of str to float
        By application. A model that no class stands for is left out: nothing is expected of it.
    """
    wanted = [claim for claim in claims if claim.has_subsidy and claim.heating_kwh is None]
    found: dict[str, float] = {}
    for code in sorted({claim.county_code for claim in wanted}):
        kwh_per_kw = season_kwh_per_kw(code, seed=seed)
        found |= {
            claim.application_id: float(claim.rated_kw * kwh_per_kw[claim.device])
            for claim in wanted
            if claim.county_code == code and claim.device in kwh_per_kw
        }
    return found
