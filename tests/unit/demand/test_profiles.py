"""Counts and factored loads, by hand and by brute force."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gridcheck.demand.parameters import CLASSES
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, class_counts, diversity, factored_loads
from gridcheck.errors import InputError, SchemaError

AREAS = pd.DataFrame(
    {"area_id": ["A1", "A2", "A3"], "occupied_households": [50, 80, 0], "base_kw_factor": [1.0, 1.2, 1.0]}
)
HEATING = pd.DataFrame(
    {
        "area_id": ["A2", "A1", "A2"],
        "layer": ["existing", "existing", "key_area_2025"],
        "device": ["air_air_heat_pump", "storage_heater", "air_air_heat_pump"],
        "households": [4, 2, 12],
        "rated_kw": [6.0, 14.0, 20.0],
    }
)


def flat_profiles(mean: float, single: float, *, alpha: float = 0.5, n_case: int = 2) -> ClassProfiles:
    """Profiles that are the same for all classes and cases."""
    shape = (n_case, len(CLASSES))
    return ClassProfiles(
        classes=CLASSES,
        time_utc=np.datetime64("2026-01-20", "ns") + np.arange(n_case) * np.timedelta64(15, "m"),
        temperature_c=np.zeros(n_case),
        duration_h=0.25,
        mean=np.full(shape, mean),
        single=np.full(shape, single),
        alpha=np.full(len(CLASSES), alpha),
        tan_phi=np.linspace(0.0, 0.5, len(CLASSES)),
    )


def one_class(rated_kw: list[float], count: list[float], column: int = 1) -> ClassCounts:
    rated, homes = np.zeros((len(rated_kw), len(CLASSES))), np.zeros((len(rated_kw), len(CLASSES)))
    rated[:, column], homes[:, column] = rated_kw, count
    return ClassCounts(rated_kw=rated, count=homes)


def test_counts_add_up_layers_and_keep_the_order_of_the_areas():
    counts = class_counts(AREAS, HEATING)
    assert counts.count[:, 0].tolist() == [50, 80, 0]
    assert counts.rated_kw[:, 0].tolist() == [50.0, 96.0, 0.0]
    assert counts.count[:, 1].tolist() == [0, 16, 0]
    assert counts.rated_kw[:, 1].tolist() == [0.0, 26.0, 0.0]
    assert counts.rated_kw[:, 5].tolist() == [14.0, 0.0, 0.0]


def test_power_of_one_area_by_hand():
    # 16 homes with 26 kW: 26 x (0.5 + (1.25 - 0.5) / sqrt(16)) = 17.875 kW.
    loads = factored_loads(flat_profiles(0.5, 1.25), one_class([26.0], [16]), area_bus=np.array([2]), n_bus=4)
    case = loads.cases()
    assert case.p_mw[0] == pytest.approx([0.0, 0.0, 0.017875, 0.0])
    assert case.q_mvar[0, 2] == pytest.approx(0.017875 * 0.1)
    assert case.duration_h.tolist() == [0.25, 0.25]


def test_a_feeder_sees_the_diversity_of_all_its_homes():
    counts = one_class([4.0, 12.0, 5.0], [4, 12, 1])
    profiles = flat_profiles(0.5, 1.25)
    bus, feeder = np.array([0, 1, 2]), np.array([0, 0, 1])
    own = factored_loads(profiles, counts, area_bus=bus, n_bus=3).cases().p_mw[0] * 1000
    shared = factored_loads(profiles, counts, area_bus=bus, n_bus=3, group=feeder).cases().p_mw[0] * 1000
    assert own == pytest.approx([4 * (0.5 + 0.75 / 2), 12 * (0.5 + 0.75 / np.sqrt(12)), 5 * 1.25])
    # Sixteen homes on the first feeder, one on the second.
    assert shared == pytest.approx([4 * (0.5 + 0.75 / 4), 12 * (0.5 + 0.75 / 4), 5 * 1.25])


def test_areas_on_one_bus_add_up():
    loads = factored_loads(flat_profiles(0.5, 1.0), one_class([4.0, 4.0], [4, 4]), area_bus=np.array([1, 1]), n_bus=2)
    assert loads.cases().p_mw[0] * 1000 == pytest.approx([0.0, 2 * 4 * (0.5 + 0.5 / 2)])


def test_columns_are_means_then_spreads():
    loads = factored_loads(flat_profiles(0.5, 1.25), one_class([26.0], [16]), area_bus=np.array([0]), n_bus=1)
    assert loads.profile.shape == (2, 12)
    assert loads.profile[0, 1] == 0.5
    assert loads.profile[0, 7] == 0.75
    assert loads.p_weight_mw[0, [1, 7]] == pytest.approx([0.026, 0.0065])


def test_no_unit_no_spread_and_part_of_a_home_counts_as_one():
    count = np.zeros((3, len(CLASSES)))
    count[:, 1] = 0.0, 0.4, 4.0
    assert diversity(count, flat_profiles(0.5, 1.0))[:, 1].tolist() == [0.0, 1.0, 0.5]


def test_homes_that_peak_together_spread_only_beyond_their_number():
    together = np.ones(len(CLASSES))
    together[1] = 4.0
    profiles = replace(flat_profiles(0.5, 1.25), together=together)
    counts = one_class([1.0, 4.0, 16.0, 400.0], [1, 4, 16, 400])
    loads = factored_loads(profiles, counts, area_bus=np.arange(4), n_bus=4).cases().p_mw[0] * 1000
    # 16 homes are four times as many as peak together: half of the spread; 400 are a hundred times as many: a tenth.
    assert loads == pytest.approx([1.25, 4 * 1.25, 16 * (0.5 + 0.75 / 2), 400 * (0.5 + 0.075)])
    with pytest.raises(InputError, match="together must be at least one home"):
        replace(profiles, together=0.5 * np.ones(len(CLASSES)))


def test_no_areas_give_no_load():
    loads = factored_loads(flat_profiles(0.5, 1.0), one_class([], []), area_bus=np.zeros(0, dtype=np.int64), n_bus=2)
    assert loads.cases().p_mw.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("areas", "heating", "message"),
    [
        (AREAS.drop(columns="base_kw_factor"), HEATING, "areas: column base_kw_factor"),
        (AREAS, HEATING.drop(columns="rated_kw"), "heating: column rated_kw"),
        (AREAS, HEATING.assign(area_id=["A2", "A1", "A9"]), "area_id A9 is not in areas"),
        (AREAS, HEATING.assign(device="stove"), "device stove is not one of"),
        (pd.concat([AREAS, AREAS.head(1)]), HEATING, "A1 stands more than once"),
    ],
)
def test_tables_that_do_not_fit_are_refused(areas, heating, message):
    with pytest.raises(SchemaError) as caught:
        class_counts(areas, heating)
    assert message in "\n".join(caught.value.findings)


def test_rated_power_without_homes_is_refused():
    with pytest.raises(InputError, match="needs a count"):
        one_class([5.0], [0])
    with pytest.raises(InputError, match="not negative"):
        one_class([-5.0], [1])


@pytest.mark.parametrize("bus", [[-1], [4]])
def test_bus_out_of_range_is_refused(bus):
    with pytest.raises(InputError, match="area_bus must lie in"):
        factored_loads(flat_profiles(0.5, 1.0), one_class([1.0], [1]), area_bus=np.array(bus), n_bus=4)


def test_area_without_a_group_is_refused():
    with pytest.raises(InputError, match="group must not be negative"):
        factored_loads(
            flat_profiles(0.5, 1.0), one_class([1.0], [1]), area_bus=np.array([0]), n_bus=1, group=np.array([-1])
        )


def test_profiles_refuse_a_mean_above_one_home():
    with pytest.raises(InputError, match="0 <= mean <= single"):
        flat_profiles(1.0, 0.5)
