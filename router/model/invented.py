"""Invented messages, by language: a new bundle's answers to them are kept in its manifest, and
asked again whenever it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

INVENTED: Mapping[str, Sequence[str]] = {
    "en": (
        "the card I ordered two weeks ago is still not here",
        "why did I pay a fee for taking out cash?",
        "what should I cook for dinner tonight",
    ),
    "es": ("la tarjeta que pedí hace dos semanas sigue sin llegar", "¿qué tiempo hará mañana?"),
    "fr": ("la carte commandée il y a deux semaines n'est pas arrivée", "quel temps fera-t-il ?"),
    "de": (
        "meine vor zwei Wochen bestellte Karte ist noch nicht da",
        "wie wird morgen das Wetter?",
    ),
    "it": ("la carta ordinata due settimane fa non è ancora arrivata", "che tempo farà domani?"),
    "pt": ("o cartão que pedi há duas semanas ainda não chegou", "que tempo vai fazer amanhã?"),
    "nl": ("de pas die ik twee weken geleden bestelde is er nog niet", "wat voor weer wordt het?"),
    "pl": ("karta zamówiona dwa tygodnie temu jeszcze nie dotarła", "jaka będzie jutro pogoda?"),
}
