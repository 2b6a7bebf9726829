"""How mail programs mark what the sender did not write, in the languages that we meet.

Data and bounded patterns: each looks at one line, or a few joined, of limited length.
"""

from __future__ import annotations

import re

MAX_LINE = 400
"""A longer line is prose: no mail program writes such a mark."""

QUOTED = re.compile(r"\s{0,3}(?:>|[A-Z][A-Za-z]{0,11}>(?: |$))")

_STARTS = (
    "On|At|Le|Am|Den|El|Il|Em|No dia|A|Op|W dniu|Dnia|"
    "Mo|Di|Mi|Do|Fr|Sa|So|Mon|Tue|Wed|Thu|Fri|Sat|Sun"
)
_WROTE = (
    r"wrote|writes|schrieb|geschrieben|a écrit|escribi[óo]|ha scritto|scrisse|escreveu|"
    r"schreef|geschreven|napisała?(?:\(a\))?|pisze|skrev|kirjoitti|написал[а]?|написав|yazdı|"
    r"a scris|írta|napsala?"
)
_ENDS_WROTE = rf"(?:{_WROTE})\b.{{0,60}}?[:：]"
INTRO_WITH_START = re.compile(rf"[>*\s]*(?:{_STARTS})\b[,.]?\s.{{3,300}}?\b{_ENDS_WROTE}[*\s]*$")
INTRO_WITH_ADDRESS = re.compile(rf".{{0,200}}(?:@|\bvia ).{{0,200}}?\b{_ENDS_WROTE}[*\s]*$")
INTRO_BY_NAME = re.compile(rf".{{2,200}}\s(?:{_WROTE})\s?[:：]?[*\s]*$")
"""Believed only where quoted lines follow: people also write that somebody wrote."""
STAMPED = re.compile(r"@|\b\d{1,2}[:.h]\d\d\b|\b\d{4}\b")
"""What a mail program puts into an intro: an address, a time or a year."""
INTRO_DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d?:\d\d (?:GMT|UTC)[^ ]{0,7} .{2,120}$")
INTRO_HINT = re.compile(
    rf"[>*\s]*(?:{_STARTS})\b|.*(?:@|\bvia\b|<$)|.*\s(?:{_WROTE})\b|\d{{4}}-\d\d-\d\d "
)
"""Cheap: whether a line may begin an intro at all."""
MAX_INTRO_LINES = 4

_ORIGINAL = (
    "Original Message|Original Appointment|Reply message|Ursprüngliche Nachricht|"
    "Original-Nachricht|Originalnachricht|Message d['’]origine|Message original|Mensaje original|"
    "Messaggio originale|Mensagem [Oo]riginal|Oorspronkelijk bericht|Wiadomość oryginalna|"
    "Oryginalna wiadomość|Original meddelande|Ursprungligt meddelande|Oprindelig meddelelse|"
    "Opprinnelig melding|Исходное сообщение"
)
_FORWARD = (
    "Forwarded [Mm]essage|Forwarded by .{1,80}|Weitergeleitete Nachricht|Message transféré|"
    "Message transmis|Mensaje reenviado|Messaggio inoltrato|Mensagem (?:re)?encaminhada|"
    "Doorgestuurd bericht|Wiadomość przekazana|Przekazana wiadomość"
)
_BEGIN_FORWARD = (
    "Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)|"
    "Début du message (?:réexpédié|transféré)|Inicio del mensaje reenviado|"
    "Inizio messaggio inoltrato|Início da mensagem (?:re)?encaminhada|Begin doorgestuurd bericht|"
    "Początek przekazywanej wiadomości"
)
SEPARATOR = re.compile(
    rf"[>*\s]*(?:-{{2,20}}\s*(?:{_ORIGINAL}|{_FORWARD})\s*-{{2,20}}|(?:{_BEGIN_FORWARD})\s*:)[*\s]*$",
    re.IGNORECASE,
)
RULE = re.compile(r"[*\s]*(?:_{8,80}|-{20,80})[*\s]*$")

_FROM = "From|Von|De|Da|Van|Od|Från|Fra|Lähettäjä|От"
_SENT = (
    "Sent|Gesendet|Envoyé(?: le)?|Enviado(?: el| em)?|Enviada(?: em)?|Inviato|Verzonden|Wysłano|"
    "Skickat|Sendt|Lähetetty|Отправлено"
)
_SUBJECT = "Subject|Betreff|Objet|Asunto|Oggetto|Assunto|Onderwerp|Temat|Ämne|Emne|Aihe|Тема"
_OTHER = (
    "Date|Datum|Fecha|Data|Дата|To|An|À|A|Para|Aan|Do|Til|Till|Кому|Cc|CC|Bcc|Kopie|DW|"
    "Reply-To|Antwort an|Répondre à|Responder a|Rispondi a|Importance|Priorität"
)
HEADER_LINE = re.compile(
    rf"[>*\s]*(?:(?P<sender>{_FROM})|(?P<sent>{_SENT})|(?P<subject>{_SUBJECT})|(?P<other>{_OTHER}))"
    r"\s?\*?\s?[:：]\*?(?:\s|$)"
)
MAX_HEADER_LINES = 14

SIGNATURE = re.compile(r"(?:-- ?|— ?|__+ ?|[ᐧ])$")
MAX_SIGNATURE_LINES = 15

_DEVICE = (
    "iPhone|iPad|iPod|Android|BlackBerry|Galaxy|Samsung|Huawei|Xiaomi|Pixel|OnePlus|Nokia|Xperia|"
    "Windows|iOS|Outlook|Yahoo|Gmail|GMX|WEB\\.DE|Proton ?Mail|Mail|K-9|Thunderbird|Mobile|"
    "phone|mobile|smartphone|tablet|Handy|Smartphone|Mobiltelefon|Mobilgerät|téléphone|portable|"
    "móvil|teléfono|telefono|cellulare|dispositivo|telemóvel|celular|telefoon|mobiel|telefonu|"
    "smartfona|urządzenia"
)
_SENT_FROM = (
    "Sent from|Sent via|Sent with|Get|Von meine[mr]|Gesendet von|Gesendet mit|Gesendet über|"
    "Diese Nachricht wurde von|Envoyé de|Envoyé depuis|Envoyé à partir|Télécharge[rz]|"
    "Enviado desde|Enviado do|Enviado a partir|Enviado de|Enviado com|Obtener|Obter|Inviato da|"
    "Inviato dal|Scarica|Verstuurd vanaf|Verzonden vanaf|Verzonden met|Download|Downloaden|"
    "Wysłane z|Wysłano z|Pobierz|Outlook für|Hol dir"
)
SENT_FROM = re.compile(
    rf"[>*_\s]*(?:{_SENT_FROM})\b.{{0,60}}?\b(?:{_DEVICE})\b"
    r"(?:[\s\w.+®™'’-]{0,30}|\s?[<(\[]?https?://\S{1,120})[.>)\]*_\s]*$",
    re.IGNORECASE,
)

DISCLAIMER_WORDS = re.compile(
    r"confidential|privileged|intended (?:recipient|solely|only)|addressee|received (?:this|it)"
    r"[^.]{0,40} in error|disclos|unauthori[sz]ed|legally binding|delete (?:this|it|the)|"
    r"vertraulich|irrtümlich|bestimmungsgemäß|Adressat|unbefugt|"
    r"confidentiel|destinataire|par erreur|"
    r"confidencial|destinatario|por error|"
    r"riservat|destinatari|per errore|"
    r"destinatário|por engano|"
    r"vertrouwelijk|geadresseerde|abusievelijk|"
    r"poufn|adresat|omyłkow",
    re.IGNORECASE,
)
"""Three different ones in a long closing paragraph make a lawyer's text."""
