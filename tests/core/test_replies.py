"""What stays of a mail: the words that its author wrote now."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.replies import newly_written

NEW = "My card never came."
OLD = "> Dear Ana,\n> your card is on its way.\n>\n> Your bank"

INTROS = [
    "On Mon, 2 Mar 2026 at 09:15, Your Bank <help@bank.example> wrote:",
    "On Mon, 2 Mar 2026 at 09:15, Your Bank of a Long Name <\nhelp@bank.example> wrote:",
    "On 2 March 2026 09:15:27 CET, Your Bank\n<help@bank.example>\nwrote:",
    "Am 02.03.26 um 09:15 schrieb Ihre Bank:",
    "Am Mo., 2. März 2026 um 09:15 Uhr schrieb Ihre Bank <\nhilfe@bank.example>:",
    "Ihre Bank <hilfe@bank.example> schrieb am Mo., 2. März 2026 um\n09:15 Uhr:",
    "Le lun. 2 mars 2026 à 09:15, Votre banque <aide@bank.example> a\nécrit :",
    "Le 2 mars 2026 à 09:15, Votre banque a écrit :",
    "El lun, 2 mar 2026 a las 9:15, Su banco (<ayuda@bank.example>) escribió:",
    "Il giorno lun 2 mar 2026 alle ore 09:15 La tua banca <\naiuto@bank.example> ha scritto:",
    "Em seg., 2 de mar. de 2026 às 09:15, O seu banco <ajuda@bank.example>\nescreveu:",
    "Op ma 2 mrt 2026 om 09:15 schreef Uw bank <hulp@bank.example>:",
    "Op 2 maart 2026 om 09:15 heeft Uw bank <hulp@bank.example> het volgende geschreven:",
    "pon., 2 mar 2026 o 09:15 Twój bank <pomoc@bank.example> napisał(a):",
    "W dniu 2.03.2026 o 09:15, Twój bank pisze:",
    "2026-03-02 09:15 GMT+01:00 Your Bank <help@bank.example>:",
]


@pytest.mark.parametrize("intro", INTROS)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_quote_and_its_intro_go(intro: str, gap: str) -> None:
    text, cuts = newly_written(f"{NEW}\n\n{intro}{gap}{OLD}\n")
    assert text == NEW
    assert [cut.kind for cut in cuts] == ["quote"]
    assert cuts[0].characters > len(OLD)


@pytest.mark.parametrize("intro", INTROS)
def test_answers_within_and_below_the_quote_stay(intro: str) -> None:
    text, _ = newly_written(f"{intro}\n> Is it lost?\nYes, it is.\n> And the PIN?\n\n{NEW}\n")
    assert text == f"Yes, it is.\n\n{NEW}"


@pytest.mark.parametrize("intro", INTROS)
def test_an_unmarked_quote_goes_too(intro: str) -> None:
    assert newly_written(f"{NEW}\n\n{intro}\n\nDear Ana,\nit is on its way.")[0] == NEW


BLOCKS = [
    "From: Your Bank <help@bank.example>\nSent: 2 March 2026 09:15\nTo: Ana\nSubject: Card",
    "*From:* Your Bank\n*Sent:* 2 March\n*To:* Ana\n*Subject:* Card",
    "Von: Ihre Bank\nGesendet: Montag, 2. März 2026 09:15\nAn: Ana\nBetreff: Karte",
    "De : Votre banque\nEnvoyé : lundi 2 mars 2026 09:15\nÀ : Ana\nObjet : Carte",
    "De: Su banco\nEnviado el: lunes, 2 de marzo\nPara: Ana\nAsunto: Tarjeta",
    "Da: La tua banca\nInviato: lunedì 2 marzo\nA: Ana\nOggetto: Carta",
    "De: O seu banco\nEnviada: 2 de março\nPara: Ana\nAssunto: Cartão",
    "Van: Uw bank\nVerzonden: maandag 2 maart\nAan: Ana\nOnderwerp: Pas",
    "Od: Twój bank\nWysłano: poniedziałek\nDo: Ana\nTemat: Karta",
    "From: Your Bank\n\nSent: 2 March\n\nTo: Ana\n\nSubject: Card",
    "From: Your Bank\nDate: 2 March\nTo: Ana, Jan\n  Eva\nSubject: Card",
]
SEPARATORS = [
    "-----Original Message-----",
    "-------- Original Message --------",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "---------- Forwarded message ---------",
    "---------- Mensaje reenviado ----------",
    "---------- Przekazana wiadomość ---------",
    "Begin forwarded message:",
    "Anfang der weitergeleiteten Nachricht:",
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("before", ["", "________________________________\n", SEPARATORS[0] + "\n"])
def test_a_mail_below_its_header_block_goes(block: str, before: str) -> None:
    assert newly_written(f"{NEW}\n\n{before}{block}\n\nYour card is on its way.")[0] == NEW


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("block", ["", *BLOCKS[:3]])
def test_a_forwarded_mail_alone_is_the_message(separator: str, block: str) -> None:
    text, cuts = newly_written(f"{separator}\n{block}\n\nYou won, send us your PIN.")
    assert text == "You won, send us your PIN."
    assert [cut.kind for cut in cuts] == ["quote"]


def test_a_quote_alone_is_the_message() -> None:
    assert newly_written(f"\n{INTROS[0]}\n> I lost my card.\n> Ana\n")[0] == "I lost my card.\nAna"


def test_a_quoted_forward_alone_is_read_without_its_header() -> None:
    quoted = "\n".join(f"> {line}" for line in [SEPARATORS[4], *BLOCKS[0].split("\n"), "", NEW])
    assert newly_written(quoted)[0] == NEW


def test_quotes_of_quotes_alone_hold_no_words_of_anyone() -> None:
    assert newly_written("\n".join(">" * depth + f" {INTROS[0]}" for depth in range(1, 9)))[0] == ""


@pytest.mark.parametrize(
    "text",
    [
        "On Monday your colleague wrote:\nthe card comes tomorrow. It did not.",
        "From: my current account\nTo: my savings\nDate: Monday\nAmount: 50 euros",
        "Sent from my account to my sister, but it never arrived.\nPlease help.",
        "I sent 50 -- or was it 60?\n--------\nPlease look.",
        "My daughter wrote to you:\nno answer!",
        "Get my card to me by Monday",
        "Rate > 1.2 today\nwhy?",
        "This is confidential: I am not the intended recipient of a letter of yours.",
        "-",
    ],
)
def test_a_customers_words_stay(text: str) -> None:
    assert newly_written(f"Hello,\n\n{text}") == (f"Hello,\n\n{text}", ())


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAna Example\n+31 20 555 0100",
        "--\nAna",
        "________\nAna",
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Get Outlook for iOS<https://aka.example/o0ukef>",
        "Sent from Yahoo Mail on Android",
        "Von meinem iPhone gesendet",
        "Gesendet von Mail für Windows",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Wysłane z iPhone'a",
    ],
)
@pytest.mark.parametrize("after", ["", f"\n\n{INTROS[0]}\n{OLD}"])
def test_a_signature_goes(signature: str, after: str) -> None:
    text, cuts = newly_written(f"{NEW}\n\n{signature}{after}")
    assert text == NEW
    assert "signature" in {cut.kind for cut in cuts}


def test_words_below_a_signature_and_a_quote_stay() -> None:
    assert newly_written(f"-- \nAna\n\n{INTROS[0]}\n{OLD}\n\n{NEW}")[0] == NEW


def test_what_goes_on_below_two_dashes_is_no_signature() -> None:
    long = "\n".join(f"line {number}" for number in range(30))
    assert newly_written(f"{NEW}\n--\n{long}")[0] == f"{NEW}\n--\n{long}"


DISCLAIMERS = [
    "This message is confidential and may be privileged. If you are not the intended recipient,"
    " please delete it and tell the sender; any disclosure of its contents is forbidden.",
    "Diese E-Mail enthält vertrauliche Angaben. Wenn Sie nicht der richtige Adressat sind oder sie"
    " irrtümlich erhalten haben, ist jede unbefugte Weitergabe verboten.",
]


@pytest.mark.parametrize("disclaimer", DISCLAIMERS)
def test_a_closing_disclaimer_goes(disclaimer: str) -> None:
    text, cuts = newly_written(f"{NEW}\n\n{disclaimer}\n\n")
    assert text == NEW
    assert [cut.kind for cut in cuts] == ["disclaimer"]


def test_a_disclaimer_alone_stays() -> None:
    assert newly_written(DISCLAIMERS[0]) == (DISCLAIMERS[0], ())


HOSTILE = [
    "On ", "> ", "On x\n", "\n", "a\n", "From: a\nSent: b\n", "From: a\n", "-", " ", "x@ via ",
    "--\n", "--\na\n", "__\n", "_" * 30 + "\n", "*\n", "On Mon, x wrote:\n", "Sent from my ",
    "\n\nconfidential disclos privileged intended only " + "x" * 100, "Von meiner " * 30 + "\n",
    "> On 1@ via x\n", "________\n" + "\n" * 200, "-- \n" + "a\n" * 14 + "> \n", "A@ wrote ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_mail_takes_bounded_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    start = time.process_time()
    newly_written(text)
    assert time.process_time() - start < 5


LINE = st.sampled_from(
    [NEW, OLD, "", *INTROS, *BLOCKS, *SEPARATORS, "-- ", "Sent from my iPhone", *DISCLAIMERS]
)


@settings(max_examples=200)
@given(st.lists(LINE | st.text(max_size=8), max_size=15))
def test_nothing_is_invented_and_new_words_above_all_stay(pieces: list[str]) -> None:
    text, cuts = newly_written("\n".join([NEW, *pieces]))
    assert NEW in text
    assert all(cut.characters > 0 for cut in cuts)
    given_lines = "\n".join([NEW, *pieces]).split("\n")
    stripped = {line.strip() for line in given_lines}
    assert all(line.strip() in stripped for line in text.split("\n"))
