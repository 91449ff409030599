"""`gridcheck n-1`: what it writes for files of others, replayed in plain pandapower."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pandas as pd
import pytest

from tests.support.command_line import gridcheck

NETWORKS = {
    "case33bw": (pn.case33bw, 0.9),
    "cigre_mv": (pn.create_cigre_network_mv, 0.9),
}


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def studied(request, tmp_path_factory):
    """The file, its folder of results, and the lowest voltage allowed."""
    build, vm_min_pu = NETWORKS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    pp.to_json(build(), str(folder / "net.json"))
    done = gridcheck(
        "n-1", str(folder / "net.json"), "--out", str(folder / "out"), "--vm-min-pu", str(vm_min_pu), "--write-networks"
    )
    assert done.exit_code == 1, done.stderr
    return build(), folder / "out", vm_min_pu


def rows_of(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "n_minus_1.csv", dtype={"restored_by": str, "opened": str}).fillna(
        {"restored_by": "", "opened": ""}
    )


def restored(out: Path, outage_id: str) -> pp.pandapowerNet:
    net = pp.from_json(str(out / "networks" / f"{outage_id.replace(':', '-')}.json"))
    pp.runpp(net, tolerance_mva=1e-10, numba=False, max_iteration=40)
    return net


def test_every_line_and_every_transformer_has_a_row(studied):
    net, out, _ = studied
    wanted = {f"line:{i}" for i in net.line.index} | {f"trafo:{i}" for i in net.trafo.index}

    assert set(rows_of(out)["outage_id"]) == wanted
    assert {path.stem.replace("-", ":") for path in (out / "networks").iterdir()} == wanted


def test_the_written_networks_show_what_the_rows_say(studied):
    _, out, vm_min_pu = studied
    for row in rows_of(out).itertuples():
        if row.outage_kind == "tie":
            continue
        net = restored(out, row.outage_id)
        is_on = net.res_bus["vm_pu"].notna()
        served_kw = 1000.0 * net.load.loc[is_on.loc[net.load["bus"]].to_numpy(), "p_mw"].sum()
        all_kw = 1000.0 * net.load["p_mw"].sum()
        assert all_kw - served_kw == pytest.approx(row.unsupplied_kw, abs=0.006)
        if np.isnan(row.worst_vm_pu) or row.served_kw == 0.0:
            continue
        medium = is_on & (net.bus["vn_kv"] < 100.0)
        vm, loading = net.res_bus.loc[medium, "vm_pu"], net.res_line["loading_percent"].max()
        # Other feeders count where they take part; in these networks the worst of all is never elsewhere.
        assert row.worst_vm_pu >= vm.min() - 1e-5
        if row.status == "secure":
            assert vm.min() >= vm_min_pu
            assert loading <= 100.0
            assert row.unsupplied_kw == pytest.approx(row.demand_kw - row.served_kw, abs=0.02)


def test_restored_by_names_the_lines_that_are_closed(studied):
    net, out, _ = studied
    for row in rows_of(out).itertuples():
        for name in filter(None, row.restored_by.split(";")):
            kind, index = name.split(":")
            assert kind == "line"
            assert int(index) in net.line.index


def test_load_that_is_off_is_never_called_secure_where_nothing_is_on(studied):
    _, out, _ = studied
    table = rows_of(out)
    lost = table[(table["served_kw"] == 0) & (table["demand_kw"] > 0)]

    assert (lost["status"] != "secure").all()


def test_the_switching_sheets_carried_out_in_plain_pandapower_end_in_the_restored_networks(studied):
    net, out, _ = studied
    sheets = pd.read_csv(out / "switching_sheets.csv", dtype=str).fillna("")
    rows = rows_of(out)
    assert set(sheets["outage_id"]) == set(rows.loc[rows["outage_kind"] != "tie", "outage_id"])
    for outage_id, sheet in sheets.groupby("outage_id", sort=False):
        switch, line = net.switch["closed"].copy(), net.line["in_service"].copy()
        for step in sheet.itertuples():
            for kind, index in (name.split(":") for name in step.element.split(";") if name):
                if kind == "switch":
                    switch[int(index)] = step.action == "close"
                elif kind == "line":
                    line[int(index)] = step.action == "close"
        row = rows.set_index("outage_id").loc[outage_id]
        after = pp.from_json(str(out / "networks" / f"{outage_id.replace(':', '-')}.json"))
        assert (after.switch["closed"] == switch).all()
        differs = after.line.index[after.line["in_service"] != line]
        assert len(net.switch) > 0 or len(differs) == 0
        assert {"trip", "repair"} <= set(sheet["stage"])
        assert float(sheet["served_kw"].iloc[-1]) == pytest.approx(row.served_kw, abs=0.006)
        assert float(sheet["off_kw"].iloc[-1]) == pytest.approx(row.unsupplied_kw, abs=0.006)
        assert (sheet["instruction_zh"] != "").all()


def test_networks_need_a_folder(tmp_path):
    pp.to_json(pn.case33bw(), str(tmp_path / "net.json"))
    done = gridcheck("n-1", str(tmp_path / "net.json"), "--write-networks")

    assert done.exit_code == 2
    assert "--out" in done.stderr
