"""The workbook of answers: every answer once in each language, in words, with nothing that runs."""

import io

import openpyxl
import pytest

from gridcheck.reports.desk_answers import answers_of_run, read_desk_answers
from gridcheck.reports.desk_workbook import answers_view, answers_workbook
from gridcheck.reports.texts import LANGUAGES, label
from tests.support.desk_folder import write_desk_folder
from tests.support.results import sample_results

HOSTILE = "=cmd|' /C calc'!A1"


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    decisions = sample_results().decisions.head(12).copy()
    decisions.loc[decisions.index[0], "application_id"] = HOSTILE
    decisions["village_code"] = "140827100200"
    return read_desk_answers(write_desk_folder(tmp_path_factory.mktemp("desk") / "answers", decisions))


def test_every_answer_stands_in_both_languages_and_says_that_it_is_synthetic(answers):
    book = openpyxl.load_workbook(io.BytesIO(answers_workbook(answers)))
    assert book.sheetnames == ["答复", "Answers"]
    for sheet, language, synthetic in zip(book.worksheets, LANGUAGES, ("合成数据", "Synthetic data"), strict=True):
        rows = list(sheet.iter_rows(min_row=4, values_only=True))
        assert [row[0] for row in rows] == answers.table["application_id"].tolist()
        assert synthetic in sheet["A2"].value
        words = [label("verdict", code, language) for code in answers.table["verdict"]]
        assert [row[2].split(" ", 1)[1] for row in rows] == words
        assert sheet["A4"].data_type == "s"


def test_what_was_drawn_stands_beside_and_what_was_not_stays_empty(answers):
    view = answers_view(answers, "zh")
    heading = {column.name: column.heading for column in view.columns}
    assert heading["draws"] == "抽样次数"
    drawn = view.table.iloc[::2]
    assert (drawn["draws"] == 1000).all()
    assert drawn["probability_low"].round(6).eq(91.0).all()
    assert drawn["broken_before"].str.contains("表箱").all()
    rest = view.table.iloc[1::2]
    assert rest[["draws", "probability_low", "accepted_risk"]].isna().all(axis=None)
    assert (rest["broken_before"] == "").all()
    assert set(view.table["village"]) == {"新城镇上王村委会"}


def test_same_answers_same_bytes(answers):
    assert answers_workbook(answers) == answers_workbook(answers)


def test_what_no_answer_has_takes_no_column():
    view = answers_view(answers_of_run(sample_results()), "en")
    assert {"draws", "broken_before", "pre_approved"} & {column.name for column in view.columns} == set()
