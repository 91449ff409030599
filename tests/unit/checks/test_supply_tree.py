"""The checks of a county that is drawn by hand: which there are, what they are held against, who hangs on what."""

import numpy as np
import pytest

from gridcheck.checks.draw_extremes import LvCheck, lv_limits
from gridcheck.checks.supply_tree import CheckKind, CheckList, limit_of, require_checkable, supply_trees
from gridcheck.errors import NetworkError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.network import read_county
from tests.support.hand_drawn_county import (
    AREAS,
    FEEDERS,
    MAINS,
    SECTIONS,
    area_table,
    hand_drawn_county,
    hand_drawn_net,
    write_hand_drawn_county,
)

KINDS = [
    "AREA_LOADING",
    "HOT_SPOT",
    "END_VOLTAGE",
    "SECTION_VOLTAGE",
    "SECTION_LOADING",
    "FEEDER_LOADING",
    "MAIN_LOADING",
]


def one_tree(tmp_path, **drawing):
    (tree,) = supply_trees(hand_drawn_county(tmp_path, hand_drawn_net(**drawing)), DEFAULT_LIMITS)
    return tree


def names_of(tree, mask) -> list[tuple[str, str]]:
    checks = tree.checks
    return [(CheckKind(int(checks.kind[i])).name, checks.element[i]) for i in np.flatnonzero(mask)]


def test_the_check_list(tmp_path):
    tree = one_tree(tmp_path)
    expected = [(kind, area) for kind in KINDS[:3] for area in AREAS]
    expected += [("SECTION_VOLTAGE", f"bus {i}") for i in (2, 3, 4, 5)]
    expected += [("SECTION_LOADING", section) for section in SECTIONS]
    expected += [("FEEDER_LOADING", feeder) for feeder in FEEDERS]
    expected += [("MAIN_LOADING", MAINS[0])]

    assert names_of(tree, np.ones(len(tree.checks.element), dtype=bool)) == expected


def test_limits_signs_and_planning_values(tmp_path):
    checks = one_tree(tmp_path).checks
    found = {}
    for i in range(len(checks.element)):
        found.setdefault(CheckKind(int(checks.kind[i])).name, set()).add(
            (float(checks.limit[i]), float(checks.sign[i]), str(float(checks.design[i])))
        )

    assert found == {
        "AREA_LOADING": {(100.0, 1.0, "80.0")},
        "HOT_SPOT": {(120.0, 1.0, "nan")},
        "END_VOLTAGE": {(198.0, -1.0, "205.0")},
        "SECTION_VOLTAGE": {(0.93, -1.0, "nan")},
        "SECTION_LOADING": {(100.0, 1.0, "80.0")},
        "FEEDER_LOADING": {(100.0, 1.0, "80.0")},
        "MAIN_LOADING": {(100.0, 1.0, "80.0")},
    }


def test_limits_of_the_users_own(tmp_path):
    own = with_overrides(DEFAULT_LIMITS, {"area_loading_percent": (90.0, "order"), "mv_vm_min_pu": (0.95, "order")})
    (tree,) = supply_trees(hand_drawn_county(tmp_path), own)

    for kind, value in ((CheckKind.AREA_LOADING, 90.0), (CheckKind.SECTION_VOLTAGE, 0.95)):
        assert set(tree.checks.limit[tree.checks.kind == kind]) == {value}
        assert limit_of(kind, own).value == value
        assert limit_of(kind, own).confidence == "U"


@pytest.mark.parametrize("kind", [kind for kind in CheckKind if kind < CheckKind.METER_LOW])
def test_the_limit_of_a_kind_is_the_one_that_is_checked(tmp_path, kind):
    tree = one_tree(tmp_path)

    assert set(tree.checks.limit[tree.checks.kind == kind]) == {limit_of(kind, DEFAULT_LIMITS).value}


def test_what_draws_look_at_has_the_limit_of_the_draws():
    by_draws = {check: limit.value for check, limit in zip(LvCheck, lv_limits(DEFAULT_LIMITS), strict=True)}
    pairs = {
        CheckKind.METER_LOW: LvCheck.LOW_VOLTAGE,
        CheckKind.METER_HIGH: LvCheck.HIGH_VOLTAGE,
        CheckKind.LV_LINE: LvCheck.LINE_LOADING,
        CheckKind.LV_NEUTRAL: LvCheck.NEUTRAL_LOADING,
        CheckKind.TRAFO_PHASE: LvCheck.TRANSFORMER_LOADING,
    }
    assert set(pairs) == {kind for kind in CheckKind if kind >= CheckKind.METER_LOW}
    for kind, check in pairs.items():
        assert limit_of(kind, DEFAULT_LIMITS).value == by_draws[check]


def test_the_path_of_an_area_leads_to_the_main_transformer(tmp_path):
    tree = one_tree(tmp_path)

    # Area 3 hangs on bus 3, behind both sections of the first feeder, beside area 2.
    assert names_of(tree, tree.on_path(2)) == [
        ("AREA_LOADING", AREAS[2]),
        ("HOT_SPOT", AREAS[2]),
        ("END_VOLTAGE", AREAS[2]),
        ("SECTION_VOLTAGE", "bus 2"),
        ("SECTION_VOLTAGE", "bus 3"),
        ("SECTION_LOADING", SECTIONS[0]),
        ("SECTION_LOADING", SECTIONS[1]),
        ("FEEDER_LOADING", FEEDERS[0]),
        ("MAIN_LOADING", MAINS[0]),
    ]


def test_the_checks_of_a_feeder(tmp_path):
    tree = one_tree(tmp_path)

    # Area 4 stands on the second feeder; busbar and main transformer belong to none.
    assert names_of(tree, tree.on_feeder_of(3)) == [
        *((kind, area) for kind in KINDS[:3] for area in AREAS[3:]),
        ("SECTION_VOLTAGE", "bus 4"),
        ("SECTION_VOLTAGE", "bus 5"),
        ("SECTION_LOADING", SECTIONS[2]),
        ("SECTION_LOADING", SECTIONS[3]),
        ("FEEDER_LOADING", FEEDERS[1]),
    ]


def test_one_tree_below_each_main_transformer(tmp_path):
    first, second = supply_trees(hand_drawn_county(tmp_path, hand_drawn_net(mains=2)), DEFAULT_LIMITS)

    assert (first.area.tolist(), second.area.tolist()) == ([0, 1, 2], [3, 4])
    assert (first.feeder.tolist(), second.feeder.tolist()) == ([0], [1])
    assert second.area_feeder.tolist() == [0, 0]
    assert set(second.feeder_of_node.tolist()) == {-1, 0}
    assert second.checks.element[-1] == MAINS[1]


def test_the_limit_current_of_a_feeder_may_be_lower_than_the_rating_of_its_line(tmp_path):
    (tree,) = supply_trees(hand_drawn_county(tmp_path, limit_ka=(0.2, 0.3)), DEFAULT_LIMITS)

    assert tree.outlet_factor == pytest.approx([1.5, 1.0])


def test_losses_of_the_nameplate(tmp_path):
    tree = one_tree(tmp_path, kva=(100.0, 200.0, 100.0, 400.0, 100.0))

    # S13: 100 kVA 1.58/0.15 kW, 200 kVA 2.73/0.24 kW, 400 kVA 4.52/0.41 kW (load loss over no-load loss, Dyn11).
    assert tree.loss_ratio[:2] == pytest.approx([1.58 / 0.15, 2.73 / 0.24])
    assert tree.loss_ratio[3] == pytest.approx(4.52 / 0.41)


def test_a_limit_is_broken_beyond_rounding_only():
    checks = CheckList(
        kind=np.array([0, 2, 2]), node=np.arange(3), sign=np.array([1.0, -1.0, -1.0]),
        limit=np.array([100.0, 198.0, 198.0]), design=np.array([80.0, np.nan, 205.0]), element=("a", "b", "c"),
    )  # fmt: skip

    assert checks.beyond_limit(np.array([100.0 + 1e-8, 198.0, 198.1])).tolist() == [False, False, False]
    assert checks.beyond_limit(np.array([100.001, 197.9, np.nan])).tolist() == [True, True, False]
    assert checks.beyond_design(np.array([80.1, 100.0, 204.9])).tolist() == [True, False, True]
    some = checks.at(np.array([2, 0]))
    assert (some.element, some.limit.tolist(), some.sign.tolist()) == (("c", "a"), [198.0, 100.0], [-1.0, 1.0])


def test_areas_without_a_main_transformer_are_refused(tmp_path):
    net = hand_drawn_net(mains=2)
    net.trafo.loc[6, "role"] = "distribution"

    with pytest.raises(NetworkError) as caught:
        require_checkable(hand_drawn_county(tmp_path, net))

    assert [line.split(":")[0] for line in caught.value.findings] == [f"area {AREAS[3]}", f"area {AREAS[4]}"]
    assert "role 'main'" in caught.value.findings[0]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("type_name", "S99-100-Dyn11", f"area {AREAS[1]}: type_name 'S99-100-Dyn11' is not in the catalogue"),
        ("feeder_id", FEEDERS[1], f"area {AREAS[1]}: its feeder {FEEDERS[1]} begins at another main transformer"),
    ],
)
def test_areas_that_do_not_fit_are_refused(tmp_path, column, value, said):
    folder = write_hand_drawn_county(tmp_path / "county", hand_drawn_net(mains=2))
    table = area_table()
    table.loc[1, column] = value
    table.to_csv(folder / "areas.csv", index=False)

    with pytest.raises(NetworkError) as caught:
        require_checkable(read_county(folder))

    assert caught.value.findings == (said,)
    assert str(folder) in caught.value.message


def test_a_whole_county_is_checkable(tmp_path):
    require_checkable(hand_drawn_county(tmp_path, hand_drawn_net(mains=2)))
