"""A policy with so many queues and rules, as a bank's might be: made by a seed, read as a file is.

Each queue takes one intent of its own. Rules ask for phrases of one to four words in eight
languages, alone or together with a country, a product or a segment; a single word is never asked
for alone, since nobody sends every "card" to one team.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

_WORDS = {
    "en": "account standing order mortgage cheque overdraft statement branch refund insurance "
    "savings loan broker deposit dispute limit salary pension trading invoice signature",
    "es": "cuenta hipoteca cheque descubierto extracto sucursal reembolso seguro ahorro préstamo "
    "depósito disputa límite nómina pensión factura firma transferencia domiciliación recibo",
    "fr": "compte crédit chèque découvert relevé agence remboursement assurance épargne prêt "
    "dépôt litige plafond salaire retraite facture signature virement prélèvement succession",
    "de": "konto hypothek scheck überziehung kontoauszug filiale erstattung versicherung "
    "sparbuch kredit einlage widerspruch gehalt rente rechnung überweisung dauerauftrag",
    "it": "conto mutuo assegno scoperto estratto filiale rimborso assicurazione risparmio "
    "prestito deposito reclamo limite stipendio pensione fattura firma bonifico addebito eredità",
    "pt": "conta hipoteca cheque descoberto extrato agência reembolso seguro poupança "
    "empréstimo depósito disputa limite salário pensão fatura assinatura transferência débito",
    "nl": "rekening hypotheek cheque roodstand afschrift filiaal terugbetaling verzekering "
    "spaarrekening lening storting geschil limiet salaris pensioen factuur handtekening incasso",
    "pl": "konto hipoteka czek debet wyciąg oddział zwrot ubezpieczenie oszczędności pożyczka "
    "lokata reklamacja limit wypłata emerytura faktura podpis przelew polecenie spadek",
}
LANGUAGES = tuple(_WORDS)
COUNTRIES = ("GB", "IE", "ES", "FR", "DE", "AT", "IT", "PT", "NL", "BE", "PL", "LU")
PRODUCTS = tuple(f"product-{number}" for number in range(40))
SEGMENTS = ("private", "business", "student", "premium")
_SHAPES = ("phrases", "all", "any", "all-any")


def queue_name(number: int) -> str:
    return f"team-{number:03}"


def intent_name(number: int) -> str:
    return f"intent_{number:03}"


def intents(queues: int) -> tuple[str, ...]:
    """The intents of so many queues, each one's own."""
    return tuple(map(intent_name, range(queues)))


def grown_policy(queues: int, rules: int, seed: int = 1) -> bytes:
    """A policy file, in the part of YAML that JSON is. A larger one begins with the smaller one's
    rules."""
    made = _Rules(random.Random(seed))  # noqa: S311 - reproducible, not secret
    return json.dumps(
        {
            "schema": "routing-policy/v1",
            "name": "grown",
            "version": f"{queues}.{rules}",
            "defaults": {"threshold": 0.5, "in_scope": 0.2, "priority": 3, "due": "1d"},
            "review": {"priority": 2, "due": "2h"},
            "otherwise": "router.review",
            "queues": {
                queue_name(number): {
                    "description": f"What team {number} answers.",
                    "intents": [intent_name(number)],
                }
                for number in range(queues)
            },
            "rules": [made.rule(number) for number in range(rules)],
        },
        ensure_ascii=False,
        indent=1,
    ).encode()


def phrase(dice: random.Random, language: str, most: int = 4, least: int = 1) -> str:
    """Different words of one language, ``least`` to ``most``."""
    return " ".join(dice.sample(_WORDS[language].split(), dice.randint(least, most)))


class _Rules:
    """No phrase is asked for twice: a rule that another one hides is refused by the reader."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._used: set[str] = set()

    def rule(self, number: int) -> dict[str, Any]:
        """To one of the first queues, which every size has."""
        queue = queue_name(self._dice.randrange(16))
        return {"name": f"rule-{number:05}", "when": self._when(), "queue": queue}

    def _when(self) -> dict[str, Any]:
        match self._dice.choice(_SHAPES):
            case "phrases":
                return self._text(least=2)
            case "all":
                return {"all": [self._text(least=1), self._fact()]}
            case "any":
                return {"any": [self._text(least=2), self._text(least=2)]}
            case _:
                return {"all": [self._text(least=1), {"any": [self._fact(), self._fact()]}]}

    def _text(self, *, least: int) -> dict[str, Any]:
        language = self._dice.choice(LANGUAGES)
        words = [self._new(language, least) for _ in range(self._dice.randint(1, 5))]
        return {"text": {"words": words}}

    def _new(self, language: str, least: int) -> str:
        while (made := phrase(self._dice, language, least=least)) in self._used:
            pass
        self._used.add(made)
        return made

    def _fact(self) -> dict[str, Any]:
        facts: Sequence[tuple[str, Sequence[str]]] = (
            ("country", COUNTRIES),
            ("product", PRODUCTS),
            ("segment", SEGMENTS),
        )
        name, values = self._dice.choice(facts)
        return {name: sorted(self._dice.sample(values, self._dice.randint(1, 3)))}
