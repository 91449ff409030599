"""Scenario files: what is read, what is refused and how it is said."""

from datetime import date

import numpy as np
import pytest

from gridcheck.demand.festival import new_year_days
from gridcheck.errors import ConfigError, LedgerError
from gridcheck.scenario import Scenario, read_scenario, require_counties, scenario_of_run


def read(tmp_path, text: str) -> Scenario:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(path)


def message_of(tmp_path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert "own.toml" in caught.value.message
    return str(caught.value)


def test_an_empty_file_is_the_default(tmp_path):
    scenario = read(tmp_path, "")

    assert scenario == Scenario()
    assert len(scenario.county_codes()) == 12
    assert scenario.reinforcement.budget_yuan == 18_000_000.0
    assert scenario.limit_set().area_loading_percent.value == 100.0


def test_values_of_the_users_own(tmp_path):
    scenario = read(
        tmp_path,
        '[study]\ncounties = ["140881", "140827"]\n[weather]\nstart = 2026-02-01\n'
        '[limits.area_loading_percent]\nvalue = 90\nsource = "order of the county company"\n',
    )

    assert scenario.county_codes() == ("140827", "140881")
    assert scenario.weather.start == date(2026, 2, 1)
    limit = scenario.limit_set().area_loading_percent
    assert (limit.value, limit.clause, limit.confidence) == (90.0, "order of the county company", "U")


def test_a_county_that_is_named_twice_is_studied_once():
    assert require_counties(("140881", "140827", "140881"), "--county") == ("140827", "140881")


def test_a_county_outside_the_plan_is_refused_with_all_that_are_in_it():
    with pytest.raises(ConfigError, match=r"--county: unknown county 140882\. Allowed: 140802 盐湖区, .*140881 永济市"):
        require_counties(("140882", "140827"), "--county")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[study]\nsead = 3\n", "study.sead: unknown key; did you mean seed? Allowed: counties, seed."),
        ("zzz = 3\n", "zzz: unknown key. Allowed: name, title_zh"),
        ("[weather]\nstart = 5\n", "weather.start = 5"),
        ("[demand]\nexisting = \"perhaps\"\n", "demand.existing = 'perhaps'"),
        ("[reinforcement]\nbudget_yuan = nan\n", "reinforcement.budget_yuan = nan"),
        ("[reinforcement]\nbudget_yuan = -1\n", "reinforcement.budget_yuan = -1"),
        ("name = \"\"\n", "name = ''"),
        ("[limits.hot_spot_c]\nvalue = inf\nsource = \"order\"\n", "hot_spot_c: value must be a finite number"),
        ("[limits.hot_spot]\nvalue = 1\nsource = \"order\"\n", "hot_spot: no such limit; did you mean hot_spot_c?"),
        ("[limits.hot_spot_c]\nvalue = 1\nsource = \"\"\n", "limits.hot_spot_c.source = ''"),
        ("[limits]\nhot_spot_c = 1\n", "limits.hot_spot_c = 1"),
        ("[limits.hot_spot_c]\nvalue = 110\n", "limits.hot_spot_c.source: missing; where the value comes from"),
        ("[limits.area_loading_percent]\nvalue = -5\nsource = \"order\"\n",
         "area_loading_percent: value -5 must be from 1 to 1000 percent"),
        ("[weather]\nstart = 0001-01-01\n", "weather.start = datetime.date(1, 1, 1): input should be greater than"),
        ("[weather]\nstart = 2400-01-01\n", "weather.start = datetime.date(2400, 1, 1): input should be less than"),
        ("[weather]\nstart = 9999-12-31\n", "weather.start = datetime.date(9999, 12, 31): input should be less than"),
        ("[weather]\ndays = \"5\"\n", "weather.days = '5': input should be a valid integer"),
        ("[demand]\nexisting = \"off\"\n", "demand.existing = 'off': input should be a valid boolean"),
        ("[study]\nseed = true\n", "study.seed = True: input should be a valid integer"),
        ("[study]\nseed = 1000000001\n", "study.seed = 1000000001: input should be less than or equal to 1000000000"),
        (f"[study]\nseed = {'9' * 5001}\n", "is not readable TOML"),
        (f"x = {'[' * 100_000}\n", "is not readable TOML: its values are nested too deeply"),
        ("[queue]\napplications = \"\"\n", "queue.applications = '': string should have at least 1 character"),
        (f"title_zh = 5\nname = \"{'x' * 5000}\"\n", "name = '" + "x" * 59 + "…: string should have at most 60"),
    ],
)  # fmt: skip
def test_faults_name_key_value_and_what_is_allowed(tmp_path, text, said):
    assert said in message_of(tmp_path, text)


def test_all_faults_are_told_at_once(tmp_path):
    message = message_of(tmp_path, "[study]\nsead = 3\n[weather]\ndays = 99\n")

    assert "study.sead" in message
    assert "weather.days = 99" in message


def test_a_mark_at_the_start_is_no_fault(tmp_path):
    (tmp_path / "own.toml").write_text("[study]\nseed = 7\n", encoding="utf-8-sig")
    assert read_scenario(tmp_path / "own.toml").study.seed == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[demand]\nfixed_share = 0.8\n",
         'demand.fixed_share = 0.8: the method is "simulated"; write demand.method = "fixed", or leave'),
        ('[demand]\nmethod = "coincidence"\nfixed_share = 0.8\n', 'fixed_share = 0.8: the method is "coincidence"'),
        ("[demand]\npv_kwp = 10.0\n", "demand.pv_kwp = 10: no home has modules; give demand.pv_share"),
        ('[demand]\nmethod = "fixed"\n[outages]\nhours_without_supply = 2.0\n',
         "outages.hours_without_supply = 2: a fixed share knows no load after an outage"),
    ],
)  # fmt: skip
def test_keys_without_effect_are_refused_by_name(tmp_path, text, said):
    message = message_of(tmp_path, text)
    assert "sets keys that would have no effect" in message
    assert said in message


@pytest.mark.parametrize(
    "text",
    [
        '[demand]\nmethod = "fixed"\nfixed_share = 0.8\n',
        "[demand]\nfixed_share = 1.0\npv_kwp = 20.0\n",
        "[demand]\npv_share = 0.1\npv_kwp = 10.0\n",
        '[demand]\nmethod = "fixed"\n[outages]\nhours_without_supply = 0.0\n',
    ],
)
def test_keys_with_effect_or_at_their_default_pass(tmp_path, text):
    assert read(tmp_path, text).name == "cold-wave"


def test_files_that_are_no_scenario(tmp_path):
    assert "is not readable TOML" in message_of(tmp_path, "[study\n")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.toml is not readable TOML"):
        read_scenario(tmp_path / "binary.toml")
    (tmp_path / "gbk.toml").write_text('title_zh = "寒潮"\n', encoding="gbk")
    with pytest.raises(ConfigError, match=r"gbk\.toml is not readable TOML: it is not UTF-8\. Save it"):
        read_scenario(tmp_path / "gbk.toml")
    with pytest.raises(ConfigError, match=r"absent\.toml cannot be read"):
        read_scenario(tmp_path / "absent.toml")


def test_a_scenario_comes_back_from_a_summary(tmp_path):
    scenario = read(tmp_path, "[weather]\nstart = 2026-02-01\n[study]\nseed = 7\n")

    assert scenario_of_run({"scenario": scenario.model_dump(mode="json")}, "out") == scenario


def test_the_spring_festival_of_every_allowed_year_is_known(tmp_path):
    years = new_year_days().astype("datetime64[Y]")
    assert "greater than or equal to 2000-01-01" in message_of(tmp_path, "[weather]\nstart = 1990-01-01\n")
    assert "less than or equal to 2035-12-31" in message_of(tmp_path, "[weather]\nstart = 2090-01-01\n")
    assert set(np.arange("2000", "2036", dtype="datetime64[Y]")) <= set(years)


@pytest.mark.parametrize("summary", [{}, {"scenario": None}, {"scenario": {"magic": 1}}, {"scenario": "cold-wave"}])
def test_a_summary_without_a_scenario_of_this_version(summary):
    with pytest.raises(LedgerError, match="out was not written by this version"):
        scenario_of_run(summary, "out")
