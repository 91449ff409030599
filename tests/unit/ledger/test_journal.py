"""The chain of the journal: computed again by other means, and broken in every way that somebody might try."""

import hashlib
import json

import pytest
from sqlalchemy import text

from gridcheck.errors import InputError, LedgerError
from gridcheck.ledger import Head, HouseholdFacts, init_ledger, open_ledger, read_head
from tests.support.ledgers import AREA, BY, all_pass, filled

_GUARDED = ("journal", "assessment", "batch", "inspection")


def run(ledger, *statements: str) -> None:
    """Do something to the tables that the program would never do."""

    def work(connection):
        for statement in statements:
            connection.execute(text(statement))

    ledger._database.write(work)


def without_guards(ledger, *statements: str) -> None:
    """The same as somebody who may remove the triggers."""
    if ledger._database.is_sqlite:
        names = [f"{table}_no_{deed}" for table in _GUARDED for deed in ("update", "delete")]
        run(ledger, *(f"drop trigger {name}" for name in names), *statements)
    else:
        run(ledger, *(f"alter table {name} disable trigger all" for name in _GUARDED), *statements)


@pytest.fixture
def kept(ledger):
    """A ledger with nine lines."""
    filled(ledger, 3)
    ledger.approve("R001", **BY)
    return ledger


def test_the_chain_as_a_few_lines_of_python_compute_it(kept):
    previous = "0" * 64
    for line in kept.journal():
        body = {
            "seq": line.seq,
            "at": line.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "who": line.entry.who,
            "action": line.entry.action,
            "object": line.entry.object,
            "reason": line.entry.reason,
            "previous_hash": previous,
        }
        for name in ("before", "after"):
            content = getattr(line.entry, name)
            body[f"{name}_json"] = (
                None if content is None else json.dumps(content, sort_keys=True, separators=(",", ":"))
            )
        previous = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        assert line.hash == previous
    assert kept.head() == Head(seq=len(kept.journal()), hash=previous)
    check = kept.verify_journal()
    assert (check.is_whole, check.entries, check.head) == (True, len(kept.journal()), kept.head())


@pytest.mark.parametrize("table", ["journal", "assessment", "batch", "blob", "inspection"])
@pytest.mark.parametrize("deed", ["update", "delete"])
def test_rows_that_are_only_added_refuse_changes(kept, table, deed):
    key = {"journal": "seq", "blob": "sha256"}.get(table, "id")
    if table == "blob":
        run(kept, "insert into blob values ('x', 1, '1')")
    if table == "inspection":
        run(kept, "insert into inspection values (1, 'R001', '2026-01-01', false, '[]')")
    statement = f"update {table} set {key} = {key}" if deed == "update" else f"delete from {table}"
    with pytest.raises(LedgerError, match=f"the ledger only adds rows to {table}"):
        run(kept, statement)


def test_a_row_cannot_be_replaced_or_the_table_emptied(kept):
    if kept._database.is_sqlite:
        statement = (
            "insert or replace into journal select seq, at, 'x', action, object, null, null, 'x', 'x', 'y' from journal"
        )
    else:
        statement = "truncate journal"
    with pytest.raises(LedgerError, match="only adds rows to journal"):
        run(kept, statement)


@pytest.mark.parametrize(
    ("column", "value"),
    [("who", "'somebody'"), ("reason", "'other'"), ("after_json", "null"), ("at", "'2020-01-01 00:00:00.000000'"),
     ("action", "'defer'"), ("object", "'R002'"), ("before_json", "'{}'")],
)  # fmt: skip
def test_a_changed_line_is_found(kept, column, value):
    without_guards(kept, f"update journal set {column} = {value} where seq = 6")
    check = kept.verify_journal()
    assert (check.is_whole, check.broken_at, check.fault, check.entries) == (False, 6, "hash", 5)


def test_a_changed_line_with_its_hash_made_to_fit_breaks_the_next_one(kept):
    without_guards(kept, f"update journal set hash = '{'a' * 64}' where seq = 6")
    assert kept.verify_journal().broken_at == 6
    line = kept.journal()[5]
    body = {
        "seq": 6, "at": line.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "who": "forger", "action": line.entry.action,
        "object": line.entry.object, "reason": line.entry.reason, "previous_hash": line.previous_hash,
        "before_json": json.dumps(line.entry.before, sort_keys=True, separators=(",", ":")),
        "after_json": json.dumps(line.entry.after, sort_keys=True, separators=(",", ":")),
    }  # fmt: skip
    fitting = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    run(kept, f"update journal set who = 'forger', hash = '{fitting}' where seq = 6")

    check = kept.verify_journal()

    assert (check.broken_at, check.fault) == (7, "previous")


def test_a_line_that_is_missing_in_the_middle_is_found(kept):
    without_guards(kept, "delete from journal where seq = 4")
    check = kept.verify_journal()
    assert (check.broken_at, check.fault) == (4, "gap")


def test_lines_that_are_missing_at_the_end_are_found(kept):
    last = kept.head().seq
    without_guards(kept, f"delete from journal where seq > {last - 2}")
    check = kept.verify_journal()
    assert (check.broken_at, check.fault) == (last - 1, "tail")


def test_an_end_noted_down_outside_tells_what_the_ledger_itself_no_longer_can(kept):
    noted = read_head(str(kept.head()))
    line = kept.journal()[-3]
    without_guards(
        kept,
        f"delete from journal where seq > {line.seq}",
        f"update journal_head set seq = {line.seq}, hash = '{line.hash}'",
        "update application set state = 'assessed', version = 2 where id = 'R001'",
    )
    assert kept.verify_journal().fault == ""
    check = kept.verify_journal(noted)
    assert (check.broken_at, check.fault) == (noted.seq, "exported_head")


def test_an_older_end_still_fits_after_more_lines(kept):
    noted = kept.head()
    kept.withdraw("R001", **BY)
    assert kept.verify_journal(noted).is_whole
    assert not kept.verify_journal(Head(seq=noted.seq, hash="a" * 64)).is_whole


def test_applications_and_answers_changed_past_the_journal_are_named(kept):
    without_guards(
        kept,
        "update application set state = 'approved' where id = 'R002'",
        "update assessment set verdict = 'defer' where id = 3",
        "update assessment set probability = 0.5 where id = 1",
    )
    check = kept.verify_journal()
    assert (check.fault, list(check.changed)) == ("", ["R002", "assessment 1", "assessment 3"])


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("update reservation set reserved_w = 1 where application_id = 'R001' and level = 'area'", "R001"),
        ("update reservation set expires_at = '2099-01-01 00:00:00' where application_id = 'R001'", "R001"),
        ("update reservation set state = 'released' where application_id = 'R001'", "R001"),
        ("delete from reservation where application_id = 'R001'", "R001"),
        ("update capacity set room_w = 900000000 where level = 'area'", f"room of area {AREA}"),
        ("update application set rated_kw = 0.1 where id = 'R001'", "R001"),
        ("update application set area_id = '140827-A0002' where id = 'R002'", "R002"),
        ("update application set assessment_id = 1 where id = 'R002'", "R002"),
        ("update batch set limits_json = '[]'", "batch run-1"),
        ("update entitlement set has_subsidy = not has_subsidy", "R003"),
        ("update entitlement set last_season = 2050", "R003"),
        ("update inspection set items_json = replace(items_json, '\"pass\"', '\"fail\"')", "inspection 1"),
    ],
)
def test_what_is_promised_and_decided_cannot_be_changed_past_the_journal(lived, statement, named):
    assert lived.verify_journal().is_whole
    without_guards(lived, statement)
    check = lived.verify_journal()
    assert (check.fault, list(check.changed)) == ("", [named])


@pytest.fixture
def lived(ledger):
    """One application approved, renewed and built, one withdrawn, one entitled until a season."""
    filled(ledger, 3)
    facts = HouseholdFacts(household_id="H1", on_district_heating=False, gets_public_allowance=False)
    for name in ("R001", "R002", "R003"):
        ledger.approve(name, **BY)
    ledger.renew("R001", days=100, **BY)
    ledger.withdraw("R002", **BY)
    for name in ("R001", "R003"):
        ledger.build(name, **BY)
    ledger.accept("R003", all_pass(), **BY)
    ledger.entitle("R003", facts, season=2025, **BY)
    ledger.end_subsidy("R003", last_season=2026, **BY)
    return ledger


@pytest.mark.parametrize("column", ["at", "who"])
def test_a_line_that_cannot_be_read_is_named_as_one_that_was_changed(tmp_path, column):
    init_ledger(tmp_path / "ledger.sqlite", who="setup")
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        filled(ledger, 3)
        without_guards(ledger, f"update journal set {column} = {'x' * (column == 'who')}'ff' where seq = 3")
        check = ledger.verify_journal()
    assert (check.is_whole, check.broken_at, check.fault) == (False, 3, "hash")


@pytest.mark.parametrize("wrong", ["", "12", f"12:{'g' * 64}", f"x:{'a' * 64}", f"12:{'a' * 63}"])
def test_an_end_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="NUMBER:HASH"):
        read_head(wrong)
