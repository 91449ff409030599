"""What an answer was made from can be read a year later, byte for byte, and nobody changes it unseen."""

import hashlib
import zlib

import pytest
from sqlalchemy import text

from gridcheck.errors import InputError, LedgerError
from gridcheck.ledger import catalogue_sha256
from tests.support.ledgers import BY, answer, asked, batch

TABLE = b"application_id,device\r\nR001,\xb5\xe7\xc8\xc8\r\n" * 50


def test_an_answer_comes_back_as_it_was(ledger, clock):
    ledger.receive([asked(1)], **BY)
    run = batch(
        inputs={"applications.csv": hashlib.sha256(TABLE).hexdigest(), "network.json": "b" * 64}, seed=2**40 + 1
    )
    given = answer(
        1, "approve_with_conditions", conditions=("heavy_area", "staggered_start"), binding_level="area",
        binding_element="140827-A0001", binding_quantity="min_voltage_v", binding_value=198.0 + 1e-13,
        binding_limit=198.0, limit_clause="GB/T 12325 [S2]", probability=1 / 3, probability_low=0.1,
        probability_high=None, draws=400, row="R001,带条件\n".encode("gb18030"), broken_before=("meter_voltage_v",),
    )  # fmt: skip

    ledger.assess(run, [given], files={"applications.csv": TABLE}, **BY)

    kept = ledger.assessment(ledger.application("R001").assessment_id)
    assert kept.answer == given
    assert kept.batch == run
    assert kept.at == clock.now
    assert kept.row_sha256 == hashlib.sha256(given.row).hexdigest()
    assert ledger.file(hashlib.sha256(TABLE).hexdigest()) == TABLE


def test_nothing_broken_before_is_not_the_same_as_nobody_has_told(ledger):
    ledger.receive([asked(1), asked(2)], **BY)
    ledger.assess(batch(), [answer(1, broken_before=()), answer(2)], **BY)
    kept = [ledger.assessment(ledger.application(name).assessment_id).answer for name in ("R001", "R002")]
    assert [one.broken_before for one in kept] == [(), None]


@pytest.mark.parametrize("stands", ["'[]'", "null"])
def test_what_is_said_to_be_broken_before_cannot_be_changed_unseen(ledger, stands):
    ledger.receive([asked(1)], **BY)
    ledger.assess(batch(), [answer(1, broken_before=("meter_voltage_v",))], **BY)
    assert ledger.verify_journal().is_whole

    def change(connection):
        sqlite = ledger._database.is_sqlite
        off = "drop trigger assessment_no_update" if sqlite else "alter table assessment disable trigger all"
        connection.execute(text(off))
        connection.execute(text(f"update assessment set broken_before_json = {stands}"))

    ledger._database.write(change)
    assert ledger.verify_journal().changed == ("assessment 1",)


def test_a_run_of_the_same_name_must_be_the_same(ledger):
    ledger.receive([asked(1), asked(2)], **BY)
    ledger.assess(batch(), [answer(1)], **BY)
    ledger.assess(batch(), [answer(2)], **BY)
    for change in ({"seed": 7}, {"limits": []}, {"inputs": {}}, {"code_version": "2"}):
        with pytest.raises(LedgerError, match="run-1 is in the ledger already, with other inputs"):
            ledger.assess(batch(**change), [answer(1)], **BY)
    assert [line.entry.action for line in ledger.journal()].count("freeze") == 1


def test_a_file_that_is_not_the_one_of_the_run_is_refused(ledger):
    ledger.receive([asked(1)], **BY)
    for name in ("applications.csv", "other.csv"):
        with pytest.raises(LedgerError, match=f"not those that run run-1 names by their SHA-256: {name}"):
            ledger.assess(batch(), [answer(1)], files={name: b"something else"}, **BY)
    assert ledger.application("R001").state == "received"


def test_a_file_is_kept_once_and_damage_is_found(ledger):
    ledger.receive([asked(1), asked(2)], **BY)
    content = b"a,b\n1,2\n"
    for number in (1, 2):
        ledger.assess(batch(f"run-{number}"), [answer(number)], files={"applications.csv": content}, **BY)
    name = hashlib.sha256(content).hexdigest()
    rows = ledger._database.read(lambda connection: connection.execute(text("select zlib from blob")).all())
    assert [zlib.decompress(row.zlib) for row in rows] == [content]

    for damage in (zlib.compress(b"a,b\n1,3\n"), b"no zlib", zlib.compress(b"0" * 10_000_000)):

        def spoil(connection, damage=damage):
            sqlite = ledger._database.is_sqlite
            connection.execute(
                text("drop trigger if exists blob_no_update" if sqlite else "alter table blob disable trigger all")
            )
            connection.execute(text("update blob set zlib = :damage"), {"damage": damage})

        ledger._database.write(spoil)
        with pytest.raises(LedgerError, match="is damaged"):
            ledger.file(name)
    with pytest.raises(LedgerError, match="holds no file"):
        ledger.file("c" * 64)


def test_answers_that_cannot_be_recorded_are_named_and_none_is(ledger):
    ledger.receive([asked(1), asked(2)], **BY)
    with pytest.raises(InputError) as caught:
        ledger.assess(batch(), [answer(1), answer(2, "perhaps"), answer(1, "defer")], **BY)
    assert list(caught.value.findings) == [
        "R002: verdict 'perhaps', allowed are approve, approve_with_conditions, defer, insufficient_data",
        "R001: more than one answer",
    ]
    with pytest.raises(LedgerError, match="no application 'R003'"):
        ledger.assess(batch(), [answer(1), answer(3)], **BY)
    assert {one.state for one in ledger.applications()} == {"received"}
    assert [line.entry.action for line in ledger.journal()] == ["schema", "receive", "receive"]


def test_the_checksum_of_the_catalogues_follows_their_files():
    digest = catalogue_sha256()
    assert digest == catalogue_sha256()
    assert len(digest) == 64


def test_an_answer_that_is_not_there(ledger):
    with pytest.raises(LedgerError, match="no answer with the number 12"):
        ledger.assessment(12)
