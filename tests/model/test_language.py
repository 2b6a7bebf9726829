"""The language step on invented messages: right, or unsure and saying so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.core.text import UNKNOWN_LANGUAGE
from router.model.language import load_language_step

MESSAGES = {
    "en": "Where is my new card?|I was charged twice in the shop|Please close my account"
    "|the cash machine kept my card|how long does a transfer to Spain take"
    "|lost my phone and cannot log in",
    "es": "No me ha llegado la tarjeta todavía.|¿Por qué me han cobrado dos veces?"
    "|El cajero se ha tragado mi tarjeta.|la transferencia sigue pendiente desde el lunes"
    "|Mi madre ha fallecido y no sé qué hacer con su cuenta.",
    "fr": "Ma carte n'est toujours pas arrivée.|Pourquoi ai-je été débité deux fois ?"
    "|Le distributeur a avalé ma carte.|On m'a volé mon portefeuille hier soir"
    "|bonjour je n'arrive pas à me connecter",
    "de": "Meine Karte ist immer noch nicht da.|Warum wurde mir das zweimal abgebucht?"
    "|Der Geldautomat hat meine Karte eingezogen.|die Überweisung hängt seit Montag"
    "|hallo ich kann mich nicht einloggen",
    "it": "La mia carta non è ancora arrivata.|Perché mi avete addebitato due volte?"
    "|Il bancomat ha trattenuto la mia carta.|Mi hanno rubato il portafoglio ieri sera"
    "|il bonifico è in sospeso da lunedì",
    "pt": "O meu cartão ainda não chegou.|Porque é que me cobraram duas vezes?"
    "|A caixa automática engoliu o meu cartão.|Roubaram-me a carteira ontem à noite"
    "|Quero encerrar a minha conta, por favor.",
    "nl": "Mijn pas is nog steeds niet aangekomen.|Waarom is er twee keer afgeschreven?"
    "|De geldautomaat heeft mijn pas ingeslikt.|hallo ik kan niet inloggen"
    "|Gisteravond is mijn portemonnee gestolen",
    "pl": "Moja karta jeszcze nie doszła.|Dlaczego pobrano opłatę dwa razy?"
    "|Bankomat połknął moją kartę.|przelew wisi od poniedziałku"
    "|Wczoraj wieczorem ukradli mi portfel",
    "tr": "Kartım hâlâ gelmedi.|Telefonumu kaybettim, uygulamaya giremiyorum.",
    "ru": "Почему деньги списали дважды?|Я потерял телефон и не могу войти.",
    "uk": "Я загубив телефон і не можу увійти.|Чому гроші списали двічі?",
    "sv": "Mitt kort har fortfarande inte kommit.|Jag vill avsluta mitt konto.",
    "cs": "Ztratil jsem telefon a nemohu se přihlásit.|Tuto platbu jsem neprovedl.",
    "ro": "Mi-am pierdut telefonul și nu mă pot conecta.|Vreau să închid contul.",
    "hu": "Elvesztettem a telefonomat és nem tudok belépni.|A pénz nincs a számlámon.",
    "fi": "Hukkasin puhelimeni enkä pääse kirjautumaan.|Haluan sulkea tilini.",
    "ja": "カードがまだ届きません。|口座を解約したいです。",
    "ar": "لم تصل بطاقتي حتى الآن.|أريد إغلاق حسابي.",
}
PAIRS = [(code, text) for code, texts in MESSAGES.items() for text in texts.split("|")]


STEP = load_language_step()


def language_of(text: str, locale: str | None) -> str:
    (language,) = STEP.languages_of([text], [locale])
    return language


SHORT = """
mit kort er stjålet|glemt pinkode|kortet er stjålet|kde je moje karta|přišla platba
platba neprošla|ukradená karta|ukradena mi je kartica|plaćanje odbijeno
nova kartica molim|pagament rebutjat|kaart varastati|tahan konto sulgeda|pembayaran ditolak
lupa pin|waar is my kaart|my kaart is gesteel|wou ass meng kaart|украли карту|де моя картка
gde moya karta
"""
PLAIN = """
help me|top up|card pin|Visa Mastercard|refund pls|can i get an overdraft|me han hackeado
IBAN ?|Card ?|Carte ?|card card|login problem|pin blocked|no money|kein geld|hacked account
"""
READ = {"en", "es", "fr", "de", "it", "pt", "nl", "pl"}


@pytest.mark.parametrize("text", SHORT.strip().replace("\n", "|").split("|"))
def test_a_few_words_of_another_language_are_not_in_one_that_the_bank_reads(text: str) -> None:
    """Which of two neighbours it is may hang in the balance; that it is none of ours does not."""
    assert language_of(text, None) not in READ | {UNKNOWN_LANGUAGE}


@pytest.mark.parametrize("text", PLAIN.strip().replace("\n", "|").split("|"))
def test_a_few_words_that_may_be_ours_are_asked_about(text: str) -> None:
    for locale in (None, "en-GB", "de"):
        assert language_of(text, locale) in READ | {UNKNOWN_LANGUAGE}


@pytest.mark.parametrize(("code", "text"), PAIRS)
def test_a_sentence_is_recognised_whatever_the_locale(code: str, text: str) -> None:
    for locale in (None, code, "en-GB", "de"):
        assert language_of(text, locale) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "PIN?",
        "IBAN",
        "123 456",
        "?!",
        "😀😀",
        "hi",
        "no",
        "card",
        "aaaaaaaaaaaaaaa",
        "ana@customer.example",
        "https://bank.example/where-is-my-card",
        "NL00BANK0123456789",
    ],
)
def test_too_little_to_tell_is_unknown(text: str) -> None:
    assert language_of(text, None) == UNKNOWN_LANGUAGE


def test_the_locale_tips_what_hangs_in_the_balance() -> None:
    assert language_of("Karte gesperrt", "de-DE") == "de"
    assert language_of("tarjeta bloqueada", "es") == "es"
    assert language_of("Mijn pas is nog steeds niet aangekomen.", "en-GB") == "nl"


def test_a_script_of_its_own_needs_few_letters() -> None:
    assert language_of("カード", None) == "ja"


def test_the_same_text_gets_the_same_language() -> None:
    texts = [text for _, text in PAIRS]
    assert [language_of(t, None) for t in texts] == [language_of(t, None) for t in texts]


@given(st.text(), st.none() | st.text())
def test_any_text_and_locale_give_two_letters_or_und(text: str, locale: str | None) -> None:
    code = language_of(text, locale)
    assert code == UNKNOWN_LANGUAGE or (len(code) == 2 and code.isalpha())
