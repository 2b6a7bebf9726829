"""`router model evaluate` as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.cli.main import run
from tests.model.tiny import TinyStage, write_bundle

Captured = pytest.CaptureFixture[str]

TEXTS = """text,label,language,flags
My card got stolen on the bus this morning,lost_or_stolen_card,en,fraud
I can't find my card anywhere,lost_or_stolen_card,en,fraud
There is a payment at a shop I never went to,card_payment_not_recognised,en,fraud
who took out cash with my card in Leeds? not me,cash_withdrawal_not_recognised,en,fraud
"Where is my new card, it has been two weeks",card_arrival,en,
How long until a card reaches Portugal?,card_delivery_estimate,en,
could my daughter get a second card,getting_spare_card,en,
how do I change the PIN,change_pin,en,
forgot the passcode of the app,passcode_forgotten,en,
I was charged twice for the same dinner,transaction_charged_twice,en,
stop the transfer I just made,cancel_transfer,en,
what is the limit for topping up,top_up_limits,en,
the cash machine swallowed my card,card_swallowed,en,
what exchange rate do you use,exchange_rate,en,
why was I charged for taking out cash,cash_withdrawal_charge,en,
how do I prove who I am,verify_my_identity,en,
"I have moved, change my address",edit_personal_details,en,
"my husband died, I cannot go on",terminate_account,en,vulnerable
a recipe for lentil soup please,out_of_scope,en,
do you also do mortgages for houseboats,in_scope,en,
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    words = {"lost": (9.0, 0.0, 0.0), "fee": (0.0, 9.0, 0.0)}
    return write_bundle(tmp_path / "tiny" / "1", TinyStage("only", words))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\nlost,lost_card\nfee,lost_card\n")
    return path


def test_an_evaluation_prints_one_json_object(bundle: Path, data: Path, capsys: Captured) -> None:
    assert run(["model", "evaluate", "--data", str(data), "--model", str(bundle), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["n"], report["accuracy"]) == (2, 0.5)
    assert report["intervals"]["accuracy"][0] < 0.5 < report["intervals"]["accuracy"][1]
    assert (report["model"]["name"], report["data"]["file"]) == ("tiny", "rows.csv")


def test_people_get_tables_with_intervals(bundle: Path, data: Path, capsys: Captured) -> None:
    assert run(["model", "evaluate", "--data", str(data), "--model", str(bundle)]) == 0
    out = capsys.readouterr().out
    assert "accuracy\t0.5000\t0.0945 to 0.9055\t" in out
    assert all(f"\n{title}\n" in out for title in ("By language", "By queue", "Confused intents"))


def test_a_report_is_written_beside_what_is_printed(
    bundle: Path, data: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "some" / "report"
    arguments = ["--data", str(data), "--model", str(bundle), "--report", str(folder), "--json"]
    assert run(["model", "evaluate", *arguments]) == 0
    printed = capsys.readouterr()
    assert str(folder / "evaluation.html") in printed.err
    assert json.loads((folder / "evaluation.json").read_text()) == json.loads(printed.out)


def test_what_the_model_does_not_know_is_told_and_counted_as_wrong(
    bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("text,label,flags\nlost,lost_cart,fraud\nfee,my card is lost,\n")
    assert run(["model", "evaluate", "--data", str(data), "--model", str(bundle), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["accuracy"] == 0
    assert "2 labels: lost_cart, …. Did you mean lost_card?" in printed.err
    assert "1 flag: fraud." in printed.err
    # With columns in disorder a label may be a customer's text.
    assert "my card" not in printed.err


def test_a_wrong_row_is_wrong_usage_and_named(
    bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("text,label,language\nlost,lost_card,en\nfee,fees,Klingon\n")
    assert run(["model", "evaluate", "--data", str(data), "--model", str(bundle)]) == 2
    assert f"{data}, row 2 (line 3), column language" in capsys.readouterr().err


def test_the_live_bundle_is_measured_on_invented_texts(tmp_path: Path, capsys: Captured) -> None:
    data = tmp_path / "texts.csv"
    data.write_text(TEXTS, encoding="utf-8")
    folder = tmp_path / "report"
    arguments = ["--data", str(data), "--model", "banking@2", "--report", str(folder)]
    assert run(["model", "evaluate", *arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["n"] == 20
    assert report["accuracy"] >= 0.75
    assert report["per_queue"]["fraud"]["recall"] == 1.0
    assert (folder / "reliability.svg").is_file()
