"""Coincidence factors for use on paper, against homes that they were not fitted to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridcheck.demand.coincidence as module
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.coincidence import _fitted, coincidence_table, fit_coincidence, simulated_peaks
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import CLASSES, default_parameters
from gridcheck.demand.profiles import class_profiles
from gridcheck.demand.weather import steady_days


def factors(table, n):
    spread = np.maximum(n / table["together"], 1.0) ** -table["alpha"]
    return table["k_infinity"] + (1.0 - table["k_infinity"]) * spread


def test_the_table_exceeds_the_rated_input_but_not_what_stands_on_the_nameplates():
    """The method "fixed" with a share of 1 is no upper bound, because heat pumps draw more in the cold."""
    nameplate = {d.device: d.max_input_ratio + d.backup_ratio for d in default_parameters().devices}
    table = pd.read_csv(Path(module.__file__).with_name("coincidence.csv"))

    assert (table["one_home"] <= table["device"].map(nameplate) + 1e-9).all()
    # A crowd of air-to-water heat pumps at -10 degC, by hand: 1.320 x 0.978 of the rated input.
    (row,) = table.query("device == 'air_water_heat_pump' and temperature_c == -10").to_dict("records")
    assert row["one_home"] * row["k_infinity"] == pytest.approx(1.291, abs=0.001)
    assert max(nameplate.values()) < 1.6


def test_the_table_for_paper_is_that_of_today():
    """Fitted again: a changed parameter needs `gridcheck demand coincidence --out gridcheck/demand/coincidence.csv`."""
    shipped = pd.read_csv(Path(module.__file__).with_name("coincidence.csv"))
    fitted = coincidence_table(fit_coincidence(default_parameters(), seed=2025))
    assert fitted[["device", "temperature_c"]].equals(shipped[["device", "temperature_c"]])
    np.testing.assert_allclose(fitted["one_home"], shipped["one_home"], rtol=0, atol=0.002)
    np.testing.assert_allclose(fitted["k_infinity"], shipped["k_infinity"], rtol=0, atol=0.005)
    # Exponent and homes that run together can stand in for each other; what counts is the factor.
    for n in (2, 5, 10, 20, 50, 300):
        np.testing.assert_allclose(factors(fitted, n), factors(shipped, n), rtol=0, atol=0.005)


@pytest.mark.parametrize("device", DEVICE_CLASSES)
def test_the_table_for_paper_holds_for_homes_that_it_was_not_fitted_to(device):
    """Other homes, and days between those of the table too."""
    n_home, sizes = 3000, np.array([1, 2, 3, 4, 5, 7, 10, 14, 20, 40, 80, 150, 300])
    position = DEVICE_CLASSES.index(device)
    homes = draw_homes(np.arange(10**6, 10**6 + n_home), np.full(n_home, position), seed=11)
    zones = heated_zones(homes, default_parameters(), seed=11, step_s=900.0)
    for mean_c in (5.0, 2.5, 0.0, -5.0, -7.5, -12.5, -20.0):
        power = simulate(zones, steady_days(mean_c), default_parameters(), n_group=n_home).power_kw
        simulated = simulated_peaks(power.astype(np.float64), tuple(sizes)) / homes.rated_kw.mean()
        on_paper = class_profiles(steady_days(mean_c), method="coincidence")
        column = CLASSES.index(device)
        mean, single = on_paper.mean[0, column], on_paper.single[0, column]
        found = mean + (single - mean) * np.maximum(sizes / on_paper.together[column], 1.0) ** -on_paper.alpha[column]
        # As factors of the peak of one home: hardly ever too low, and not much too high.
        above = (found - simulated) / simulated[0]
        assert above.min() > -0.05
        assert above.max() < 0.08


def test_homes_that_only_switch_on_and_off_all_meet_up_to_some_number():
    """Switches that are closed half of the time, each for itself: of a few, all are in one of 96 quarters, not half."""
    on = np.random.default_rng(4).random((3000, 96)) < 0.5
    sizes = (1, 2, 3, 5, 7, 10, 20, 50, 100, 300, 3000)
    peaks = simulated_peaks(on.astype(np.float64), sizes)
    crowd, together, alpha = _fitted(np.array(sizes, dtype=np.float64), peaks / peaks[0])
    assert crowd == pytest.approx(0.5, abs=0.03)
    # 2**-n in each quarter, 96 quarters: six homes meet in three days of four, seven in every second.
    assert 4.0 < together < 8.0
    # Beyond: as the scatter of a sum, one over the root.
    assert alpha == pytest.approx(0.5, abs=0.1)


def test_homes_that_start_together_have_no_diversity():
    assert _fitted(np.array([1.0, 10.0, 300.0]), np.ones(3)) == (1.0, 1.0, 1.0)
