import math
from dataclasses import fields

import pytest

from gridcheck.errors import ConfigError
from gridcheck.limits import DEFAULT_LIMITS, LimitSet, require_plausible, with_overrides

# Worked out from the standards, not read from the module.
EXPECTED = {
    "area_loading_percent": 100.0,
    "area_loading_design_percent": 80.0,
    "overload_duration_h": 2.0,
    "heavy_percent": 80.0,
    "hot_spot_c": 120.0,
    "top_oil_c": 105.0,
    "lv_voltage_min_v": 220.0 * 0.90,
    "lv_voltage_max_v": 220.0 * 1.07,
    "lv_voltage_design_v": 205.0,
    "low_voltage_v": 198.0,
    "mv_vm_min_pu": 1.0 - 0.07,
    "mv_vm_max_pu": 1.0 + 0.07,
    "section_loading_percent": 100.0,
    "section_loading_design_percent": 80.0,
    "main_transformer_loading_percent": 100.0,
    "main_transformer_loading_design_percent": 80.0,
    "n_minus_1_loading_percent": 100.0,
    "n_minus_1_vm_min_pu": 0.93,
    "neutral_percent_yyn0": 25.0,
    "unbalance_percent": 15.0,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values_of_the_standards(name):
    assert getattr(DEFAULT_LIMITS, name).value == pytest.approx(EXPECTED[name], rel=1e-12)


def test_every_field_is_a_limit_of_its_own_name():
    assert [limit.name for limit in DEFAULT_LIMITS.all()] == [field.name for field in fields(LimitSet)]


def test_design_values_are_stricter_than_the_limits():
    for what in ("area_loading", "section_loading", "main_transformer_loading"):
        design, hard = (getattr(DEFAULT_LIMITS, f"{what}{end}_percent").value for end in ("_design", ""))
        assert design < hard
    assert DEFAULT_LIMITS.lv_voltage_design_v.value > DEFAULT_LIMITS.lv_voltage_min_v.value


# Load in per unit at which the hot spot settles at 98, 120, 140 degC: a published table of the model (R = 10).
@pytest.mark.parametrize(
    ("ambient_c", "hot_spot_c", "load_pu"),
    [
        (-15, 98, 1.28),
        (-15, 120, 1.43),
        (-10, 120, 1.40),
        (0, 98, 1.16),
        (0, 140, 1.47),
        (20, 98, 1.00),
        (20, 120, 1.18),
    ],
)
def test_hot_spot_constants_give_the_published_loads(ambient_c, hot_spot_c, load_pu):
    def value(name: str) -> float:
        return getattr(DEFAULT_LIMITS, f"thermal_{name}").value

    ratio = value("loss_ratio")
    oil = value("top_oil_rise_k") * ((1 + ratio * load_pu**2) / (1 + ratio)) ** value("oil_exponent")
    settled = ambient_c + oil + value("gradient_k") * load_pu ** value("winding_exponent")
    # The table gives the load to 0.01, which is about 1.6 K.
    assert settled == pytest.approx(hot_spot_c, abs=1.0)


def test_an_override_carries_its_own_text_and_mark():
    changed = with_overrides(DEFAULT_LIMITS, {"hot_spot_c": (110, " order of the county company ")})
    assert changed.hot_spot_c.value == 110.0
    assert changed.hot_spot_c.clause == "order of the county company"
    assert changed.hot_spot_c.confidence == "U"
    assert changed.hot_spot_c.source == "scenario"
    assert changed.hot_spot_c.name == "hot_spot_c"
    assert changed.hot_spot_c.unit == "degC"


def test_an_override_leaves_the_rest_and_the_default_alone():
    changed = with_overrides(DEFAULT_LIMITS, {"hot_spot_c": (110.0, "order")})
    assert DEFAULT_LIMITS.hot_spot_c.value == 120.0
    assert [a.name for a, b in zip(DEFAULT_LIMITS.all(), changed.all(), strict=True) if a != b] == ["hot_spot_c"]


def test_all_wrong_overrides_are_named_at_once():
    overrides = {
        "hot_spott_c": (110.0, "order"),
        "heavy_percent": (math.nan, "order"),
        "unbalance_percent": (20.0, "  "),
    }
    with pytest.raises(ConfigError) as caught:
        with_overrides(DEFAULT_LIMITS, overrides)
    unknown, value, text = caught.value.findings
    assert "did you mean hot_spot_c?" in unknown
    assert "heavy_percent" in value
    assert "finite" in value
    assert "unbalance_percent" in text
    assert "source text" in text


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("thermal_oil_time_constant_min", 0.0, "from 1 to 10000 min"),
        ("area_loading_percent", -5.0, "from 1 to 1000 percent"),
        ("area_loading_percent", 0.9, "from 1 to 1000 percent"),
        ("thermal_oil_exponent", 1e300, "from 0.1 to 10"),
        ("thermal_ageing_doubling_k", 0.0, "from 1 to 200 K"),
        ("lv_voltage_min_v", 0.9, "from 100 to 300 V"),
        ("mv_vm_min_pu", 93.0, "from 0.5 to 1.5 pu"),
    ],
)
def test_a_value_that_no_grid_can_mean_is_refused(name, value, said):
    with pytest.raises(ConfigError) as caught:
        require_plausible(with_overrides(DEFAULT_LIMITS, {name: (value, "order")}))

    assert caught.value.findings == (f"{name}: value {value:g} must be {said}",)


def test_every_limit_of_the_program_is_plausible_itself():
    require_plausible(
        with_overrides(DEFAULT_LIMITS, {limit.name: (limit.value, "own") for limit in DEFAULT_LIMITS.all()})
    )
