import itertools

import numpy as np
import pytest

from gridcheck.catalogue import conductors, distribution_transformers, main_transformers

# Resistivity at 20 degC on the nominal section, with stranding and the tolerance of the standards [ohm mm2/km].
RESISTIVITY = {"Al": (28.0, 32.1), "Al/steel": (28.0, 30.2), "Cu": (17.2, 19.0)}


@pytest.mark.parametrize("load", [conductors, distribution_transformers, main_transformers], ids=lambda f: f.__name__)
def test_a_table_may_be_edited_without_harm_to_others(load):
    first = load()
    first.loc[:, "source"] = "spoilt"
    assert "spoilt" not in load()["source"].tolist()


@pytest.mark.parametrize("material", RESISTIVITY)
def test_resistance_follows_from_section_and_metal(material):
    table = conductors()
    chosen = table[table["material"] == material]
    resistivity = chosen["r_ohm_per_km"] * chosen["area_mm2"]
    low, high = RESISTIVITY[material]
    assert resistivity.between(low, high).all(), resistivity[~resistivity.between(low, high)]


def test_thicker_conductors_carry_more_with_less_impedance():
    for _, group in conductors().groupby(["kind", "material"]):
        ordered = group.sort_values("area_mm2")
        assert (ordered["max_i_ka"].diff().dropna() > 0).all()
        assert (ordered["r_ohm_per_km"].diff().dropna() < 0).all()
        assert (ordered["x_ohm_per_km"].diff().dropna() <= 0).all()


def test_reactance_of_insulated_lines_follows_from_their_spacing():
    table = conductors()
    overhead = table[table["kind"] == "overhead_10kv"]
    # Compact strands fill about 0.9 of the circle; 0.1445 log10(D / 0.7788 r) at 50 Hz, D = 1 m.
    radius_m = np.sqrt(overhead["area_mm2"] / 0.9 / np.pi) / 1000
    expected = 0.1445 * np.log10(1.0 / (0.7788 * radius_m))
    assert np.abs(overhead["x_ohm_per_km"] - expected).max() < 0.015


def test_the_sizes_asked_for_are_there():
    names = conductors().index
    assert {f"JKLYJ-10-{area}" for area in (50, 70, 95, 120, 150, 185, 240)} <= set(names)
    assert {f"JKLYJ-1-{area}" for area in (16, 25, 35, 50, 70, 95, 120, 150, 185, 240)} <= set(names)


def test_every_series_comes_in_every_size_and_vector_group():
    table = distribution_transformers()
    assert len(table) == 4 * 15 * 2
    made = table["series"] + "-" + table["sn_kva"].map("{:g}".format) + "-" + table["vector_group"]
    assert made.tolist() == table.index.tolist()


def test_losses_keep_the_ratios_between_grades():
    table = distribution_transformers().set_index(["series", "sn_kva", "vector_group"])
    old, grade_2, grade_1 = (table.loc[series] for series in ("S13", "S20", "S22"))
    assert np.abs(grade_2["pk_kw"] / old["pk_kw"] / 0.80 - 1).max() < 0.01
    assert np.abs(grade_1["pk_kw"] / old["pk_kw"] / 0.72 - 1).max() < 0.012
    no_load = [table.loc[series, "p0_kw"] for series in ("S11", "S13", "S20", "S22")]
    for worse, better in itertools.pairwise(no_load):
        assert (worse > better).all()


def test_dyn11_loses_at_least_as_much_under_load_as_yyn0():
    table = distribution_transformers().set_index(["series", "sn_kva", "vector_group"])["pk_kw"].unstack()
    assert (table["Dyn11"] >= table["Yyn0"]).all()
    assert (table["Dyn11"] / table["Yyn0"]).max() < 1.06


def test_voltage_drop_at_full_load_is_that_of_the_handbook():
    # 2.3-2.7 % for 100 kVA, 2.05-2.3 % for 400 kVA at a power factor of 0.95.
    for name, low, high in (("S13-100-Dyn11", 2.3, 2.75), ("S13-400-Dyn11", 2.0, 2.35)):
        unit = distribution_transformers().loc[name]
        r = unit["pk_kw"] / unit["sn_kva"] * 100
        x = np.sqrt(unit["uk_percent"] ** 2 - r**2)
        assert low < 0.95 * r + np.sqrt(1 - 0.95**2) * x < high


def test_no_load_loss_fits_inside_the_no_load_current():
    for table, rating_kva in ((distribution_transformers(), 1.0), (main_transformers(), 1000.0)):
        rating = table["sn_kva"] if "sn_kva" in table else table["sn_mva"] * rating_kva
        assert (table["p0_kw"] / rating * 100 < table["i0_percent"]).all()


def test_main_transformers_have_taps_by_voltage():
    table = main_transformers()
    taps = table.groupby("vn_hv_kv")[["tap_step_percent", "tap_min", "tap_max"]].agg(lambda s: sorted(set(s)))
    assert taps.loc[35.0].tolist() == [[2.5], [-3], [3]]
    assert taps.loc[110.0].tolist() == [[1.25], [-8], [8]]
    assert table.loc["SZ11-110-40", ["sn_mva", "pk_kw", "p0_kw"]].tolist() == [40.0, 148.0, 29.0]
