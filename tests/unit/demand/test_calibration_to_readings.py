"""Calibration to readings: the truth of drawn villages comes back, and what is not told is said to be so."""

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.catalogue import base_load
from gridcheck.demand.calibration import AreaReadings, calibrate, overrides
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.tables import named_ranges
from gridcheck.errors import InputError
from tests.support.village_winter import BALANCE_C, BASE_KW, SLOPE_KW_PER_K, village_winter

AIR = "air_air_heat_pump"
AT_MINUS_5 = f"{AIR}_kw_at_-5_c"


def truth_kw(felt_c: float) -> float:
    return SLOPE_KW_PER_K * (BALANCE_C - felt_c)


@pytest.fixture(scope="module")
def cold():
    return calibrate(village_winter(np.random.default_rng(5), areas=30, days=55, mean_c=-4.0), np.random.default_rng(1))


@pytest.fixture(scope="module")
def saturated():
    readings = village_winter(np.random.default_rng(6), areas=30, days=55, mean_c=-5.0, saturation_c=-8.0)
    return calibrate(readings, np.random.default_rng(1), n_draw=100)


@pytest.fixture(scope="module")
def warm():
    return calibrate(village_winter(np.random.default_rng(7), mean_c=4.0), np.random.default_rng(1), n_draw=60)


@pytest.mark.parametrize(
    ("name", "truth", "tolerance"),
    [
        ("base_kw", BASE_KW, 0.05),
        (f"{AIR}_kw_at_0_c", truth_kw(0.0), 0.06),
        (AT_MINUS_5, truth_kw(-5.0), 0.06),
        (f"{AIR}_kw_at_-10_c", truth_kw(-10.0), 0.06),
        ("balance_c", BALANCE_C, 0.07),
        ("slope_percent_per_k", 100.0 / 25.0, 0.06),
        ("own_scatter_kw", 0.35, 0.06),
    ],
)
def test_the_truth_comes_back_through_noise_gaps_and_shouting_meters(cold, name, truth, tolerance):
    found = cold.estimate(name)

    assert found.value == pytest.approx(truth, rel=tolerance)
    assert found.low <= found.value <= found.high
    assert found.verdict == "told"
    assert found.confidence == "C"


def test_the_memory_of_the_walls_comes_back(cold):
    found = cold.estimate("outdoor_smoothing_h")

    assert found.value == pytest.approx(20.0, rel=0.15)
    assert found.low <= 20.0 <= found.high


def test_shouting_meters_are_set_aside(cold):
    # One quarter hour in a thousand is twelve times too high; an hour has four.
    assert cold.n_set_aside / cold.n_hour == pytest.approx(0.004, rel=0.3)


def test_the_base_load_peaks_in_the_evening_within_its_band(cold):
    assert int(np.argmax(cold.response.base_kw)) in (19, 20)
    assert (cold.base_kw_low <= cold.response.base_kw).mean() > 0.9
    assert (cold.response.base_kw <= cold.base_kw_high).mean() > 0.9


def test_saturation_is_seen_where_it_is(saturated):
    found = saturated.estimate("saturation_c")

    assert found.value == pytest.approx(-8.0, abs=0.5)
    assert found.verdict == "told"
    # Below -8 degC nothing is added.
    assert saturated.estimate(f"{AIR}_kw_at_-10_c").value == pytest.approx(truth_kw(-8.0), rel=0.06)


def test_a_cold_winter_without_saturation_invents_none(cold):
    found = cold.estimate("saturation_c")

    assert found.value == -np.inf
    assert found.verdict == "not_told"
    assert "none seen down to" in found.reason.en


def test_a_warm_winter_cannot_tell_saturation(warm):
    found = warm.estimate("saturation_c")

    assert (found.verdict, found.reason.en) == ("not_told", "no reading below -6 degC")
    assert "-6" in found.reason.zh


def test_a_warm_winter_extrapolates_the_cold(warm):
    found = warm.estimate(f"{AIR}_kw_at_-10_c")

    assert found.verdict != "told"
    assert "extrapolated" in found.reason.en


def test_the_share_below_one_home_is_never_told(cold):
    names = {name for group in cold.never_told for name in group.names}

    assert {"target_living_c", "field_factor_mean", "winter_factor", "k_inf"} <= names
    assert all(group.reason.zh and group.reason.en for group in cold.never_told)


def test_areas_of_one_size_do_not_tell_the_exponent():
    readings = village_winter(np.random.default_rng(9), areas=12, days=20, homes=(60, 61))

    assert calibrate(readings, np.random.default_rng(1), n_draw=20).estimate("mix_alpha").verdict == "not_told"


def test_intervals_hold_the_truth_nine_times_in_ten():
    wanted = {"base_kw": BASE_KW, AT_MINUS_5: truth_kw(-5.0), "slope_percent_per_k": 4.0, "balance_c": BALANCE_C}
    n_winter, hits = 60, dict.fromkeys(wanted, 0)
    for seed in range(n_winter):
        readings = village_winter(np.random.default_rng(1000 + seed), areas=20, days=30, mean_c=1.0, faults=False)
        found = calibrate(readings, np.random.default_rng(seed), n_draw=50)
        for name, truth in wanted.items():
            one = found.estimate(name)
            hits[name] += one.low <= truth <= one.high
    share = {name: count / n_winter for name, count in hits.items()}

    # Sixty draws of 0.9 scatter by 0.04; resampling both ways errs to the wide side for what is the days' own.
    assert all(value >= 0.8 for value in share.values()), share
    assert 0.84 <= np.mean(list(share.values())) <= 0.97, share


def test_the_order_of_areas_and_times_changes_nothing():
    readings = village_winter(np.random.default_rng(3), areas=10, days=15)
    rng = np.random.default_rng(4)
    shuffled = []
    for area in rng.permutation(np.array(readings, dtype=object)):
        order = rng.permutation(len(area.time_utc))
        shuffled.append(
            replace(
                area,
                time_utc=area.time_utc[order],
                power_kw=area.power_kw[order],
                temperature_c=area.temperature_c[order],
            )
        )

    one, other = (calibrate(given, np.random.default_rng(1), n_draw=20) for given in (readings, shuffled))

    assert one.estimates == other.estimates


def test_power_in_other_units_scales_what_is_power_and_nothing_else():
    readings = village_winter(np.random.default_rng(3), areas=10, days=15)
    doubled = [replace(area, power_kw=2.0 * area.power_kw) for area in readings]

    one, other = (calibrate(given, np.random.default_rng(1), n_draw=20) for given in (readings, doubled))

    for before, after in zip(one.estimates, other.estimates, strict=True):
        factor = 2.0 if before.unit == "kW" else 1.0
        assert (after.value, after.low, after.high) == pytest.approx(
            tuple(factor * number for number in (before.value, before.low, before.high)), rel=1e-9, nan_ok=True
        )


def test_two_classes_are_told_apart_and_proportional_ones_are_not():
    rng = np.random.default_rng(8)
    alone = village_winter(rng, areas=24, days=20)
    resistive = village_winter(np.random.default_rng(8), areas=24, days=20)
    apart = [
        replace(area, converted={"resistive_heater" if number % 2 else AIR: area.n_converted})
        for number, area in enumerate(alone)
    ]
    together = [
        replace(area, converted={AIR: area.n_converted / 2, "resistive_heater": area.n_converted / 2})
        for area in resistive
    ]

    both = calibrate(apart, np.random.default_rng(1), n_draw=20)
    mixed = calibrate(together, np.random.default_rng(1), n_draw=20)

    assert both.classes == (AIR, "resistive_heater")
    assert both.estimate("resistive_heater_kw_at_-5_c").value == pytest.approx(truth_kw(-5.0), rel=0.15)
    assert mixed.classes == ("mix",)
    assert any("go together" in warning.en for warning in mixed.warnings)


def test_times_eight_hours_off_are_noticed():
    readings = [
        replace(area, time_utc=area.time_utc - np.timedelta64(8, "h"))
        for area in village_winter(np.random.default_rng(3), areas=12, days=15)
    ]

    found = calibrate(readings, np.random.default_rng(1), n_draw=20)

    assert any("check the time zone" in warning.en for warning in found.warnings)


def test_one_clock_that_is_wrong_is_named():
    readings = village_winter(np.random.default_rng(3), areas=12, days=15)
    readings[4] = replace(readings[4], time_utc=readings[4].time_utc + np.timedelta64(8, "h"))

    found = calibrate(readings, np.random.default_rng(1), n_draw=20)

    assert [warning.en for warning in found.warnings if "clock" in warning.en] == [
        "area A004: its day is about +8 h off; check its clock"
    ]


def test_clean_readings_give_no_warning_of_the_clock(cold):
    assert cold.warnings == ()


def test_one_converted_share_cannot_separate_base_from_heating():
    readings = village_winter(np.random.default_rng(3), areas=12, days=15, homes=(100, 101), share=(0.5, 0.5001))

    with pytest.raises(InputError, match="base load and heating cannot be told apart"):
        calibrate(readings, np.random.default_rng(1))


def area(**changes) -> AreaReadings:
    (one,) = village_winter(np.random.default_rng(3), areas=1, days=12, faults=False)
    return replace(one, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"homes": -1.0}, "homes: a count is finite and not negative"),
        ({"homes": 1.0, "converted": {AIR: 5.0}}, "not below the 5 converted homes"),
        ({"converted": {AIR: -2.0}}, "air_air_heat_pump: a count is finite and not negative"),
        ({"converted": {"stove": 2.0}}, "'stove' is not one of"),
        ({"power_kw": np.ones(7)}, "power_kw must have shape"),
        ({"time_utc": area().time_utc[np.r_[0, 0 : len(area().time_utc) - 1]]}, "1 times stand more than once"),
        ({"time_utc": area().time_utc + np.timedelta64(3, "m")}, "not the start of a quarter hour"),
        ({"power_kw": np.where(np.arange(12 * 96) < 9 * 96, 1.0, np.nan)}, "readings of 9 days; at least 10"),
        ({"temperature_c": 1.8 * area().temperature_c + 32.0}, "is it Fahrenheit"),
        ({"temperature_c": np.full(12 * 96, np.nan)}, "fill the gaps first"),
        ({"power_kw": 1000.0 * area().power_kw}, "is it in watts"),
    ],
)
def test_wrong_input_is_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message):
        area(**changes)


def test_what_is_told_becomes_parameters(cold):
    found = overrides(cold)
    parameters = default_parameters().with_overrides(found.values)

    level = parameters.base["annual_kwh"] * parameters.base["winter_factor"] / 8760.0
    assert level == pytest.approx(cold.estimate("base_kw").value)
    assert parameters.base["winter_factor"] == default_parameters().base["winter_factor"]
    # The drawn homes draw 1.0 kW at -5 degC, the model's 0.75 kW: more than the row of thrift allows.
    assert "thrift_factor" not in found.values
    assert any("check the input: thrift_factor = 1." in note.en and "[0.4, 1]" in note.en for note in found.notes)
    assert any(note.en.startswith("gridcheck/catalogue/base_load.csv: annual_kwh") for note in found.notes)
    ranges = named_ranges("model.csv")
    for name, value in found.values.items():
        low, high = ranges[name] if name in ranges else base_load().loc[name, ["min", "max"]]
        assert low <= value <= high
    assert all(note.zh and note.en for note in found.notes)


def test_an_interval_outside_the_expected_range_asks_for_the_input_and_replaces_nothing():
    # Watts taken for half kilowatts: every power is twice what it is.
    readings = village_winter(np.random.default_rng(5), areas=20, days=30, mean_c=-4.0)
    doubled = [replace(area, power_kw=2.0 * area.power_kw) for area in readings]

    result = calibrate(doubled, np.random.default_rng(1), n_draw=40)

    for name in (AT_MINUS_5, "base_kw"):
        found = result.estimate(name)
        assert found.verdict == "outside"
        assert "outside the expected range" in found.reason.en
        assert "check" in found.reason.en
    values = overrides(result).values
    assert not {"annual_kwh", "shape_hour_00", "thrift_factor"} & set(values)


def test_what_is_not_told_stays(warm):
    unsure = replace(warm, estimates=tuple(replace(one, verdict="not_told") for one in warm.estimates))

    found = overrides(unsure)

    assert dict(found.values) == {}
    assert all("is kept" in note.en for note in found.notes)
