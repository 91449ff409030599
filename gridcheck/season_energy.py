"""Heating energy that a season is expected to take, for homes that nobody has metered."""

from __future__ import annotations

from collections.abc import Sequence

from gridcheck.demand.profiles import class_profiles
from gridcheck.ledger import Claim
from gridcheck.study_inputs import season_weather

METHOD = "rated input x simulated full-load hours of a typical season of 121 days [E]"
# Money follows the mean of a season, for which few homes do.
_HOMES = 200


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
        season = class_profiles(season_weather(code, seed), seed=seed, n_home=_HOMES)
        kwh_per_kw = dict(zip(season.classes, season.mean.sum(axis=0) * season.duration_h, strict=True))
        found |= {
            claim.application_id: float(claim.rated_kw * kwh_per_kw[claim.device])
            for claim in wanted
            if claim.county_code == code and claim.device in kwh_per_kw
        }
    return found
