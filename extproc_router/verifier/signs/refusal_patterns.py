"""How refusals begin, in a dozen languages: regular expressions over lower-case text with single blanks.

Gaps are bounded, and none stands inside another, so that a search costs little whatever the text.
"""

from __future__ import annotations

from typing import Final

_CANNOT: Final = (
    r"(?:can't|cannot|can not|won't|will not|am unable to|'m unable to|am not able to|'m not able to|"
    r"am not going to|'m not going to|must decline to|have to decline to|don't feel comfortable|"
    r"am not comfortable|'m not comfortable)"
)
# What assistants decline to do.
_DO: Final = (
    r"(?: \w+){0,2} (?:help|helping|assist|assisting|comply|complying|fulfil+|provid\w*|shar\w+|generat\w+|creat\w+|"
    r"produc\w+|writ\w+|answer\w*|discuss\w*|engag\w+|support\w*|continu\w+|do that|do this|giv\w+|offer\w*|"
    r"participat\w+|respond\w*|complet\w+|access\w*|brows\w+|open|view|process|recommend\w*|translat\w+|explain\w*)\b"
)
_SORRY: Final = r"(?:sorry|afraid|apologi[sz]e|apologies|unfortunately|regret)[,.:;]?(?: but| that)? (?:i|we) ?"
_AN_AI: Final = r"as an ai(?: language)?(?: model| assistant)?,? i(?:'m| am)? ?"
_ENGLISH: Final = (
    rf"i ?{_CANNOT}{_DO}",
    rf"{_SORRY}{_CANNOT}{_DO}",
    r"sorry,? (?:but )?(?:i|we) (?:can't|cannot|won't)(?: do (?:that|this))?[.!]",
    rf"{_AN_AI}(?:can't|cannot|do(?:n't| not) have the ability|unable|not able|not capable|must decline)",
    r"i must (?:respectfully |politely )?(?:decline|refuse)",
    r"(?:it is|it's|that's|this is) (?:against|outside|beyond) (?:my|our) (?:guidelines|polic|programming|capabil)",
)
_KANN: Final = r"[^.!?]{0,60}\b(?:kann|darf|können|dürfen)\b[^.!?]{0,60}\bnicht"
_DIENEN: Final = r"(?:helfen|beantworten|unterstützen|geben|schreiben|erstellen|bereitstellen|weiterhelfen|tun|dienen)"
_GERMAN: Final = (
    rf"leider{_KANN} {_DIENEN}",
    rf"(?:tut mir leid|bedaure)[,.:]?(?: aber)? (?:ich|wir|das|dabei|damit){_KANN}\b",
    r"als ki(?:-\w+)?,? (?:kann|darf) ich\b[^.!?]{0,60}\b(?:nicht|keine)\b",
)
_AIDER: Final = r"(?:aider|fournir|répondre|créer|écrire|générer|donner)"
_FRENCH: Final = (
    r"désolée?s?[,.:]?(?: mais)? je ne (?:peux|suis|saurais)",
    rf"je ne (?:peux|suis) pas (?:en mesure d|(?:vous |t'|te |l')?{_AIDER})",
    r"en tant qu(?:'ia|'intelligence artificielle|e modèle de langage|'assistant)[^.!?]{0,40}je ne (?:peux|suis)",
)
_MODELO: Final = r"como (?:un )?(?:modelo de (?:lenguaje|linguagem)|ia|inteligencia artificial|uma ia)"
_IBERIAN_ITALIAN: Final = (
    r"lo siento[,.:]?(?: pero)? no (?:puedo|podemos|me es posible)",
    r"no puedo (?:ayudar|proporcionar|responder|cumplir|generar|crear|escribir|ofrecer|asistir)",
    r"(?:desculpe|sinto muito|lamento)[,.:]?(?: mas)? (?:eu )?não (?:posso|consigo)",
    r"não posso (?:ajudar|fornecer|responder|gerar|criar|escrever|atender)",
    rf"{_MODELO}[^.!?]{{0,40}}(?:no puedo|não posso)",
    r"mi dispiace[,.:]?(?: ma)? non (?:posso|sono in grado)",
    r"non posso (?:aiutar|fornir|risponder|generare|creare|scrivere|soddisfare)",
)
_OTHERS: Final = (
    r"(?:het spijt me|sorry)[,.:]?(?: maar)? (?:ik|daar|dat|hier) (?:kan|mag)\b[^.!?]{0,60}\bniet\b",
    r"(?:извините|простите|к сожалению)[,.:]?(?: но)? я не (?:могу|в состоянии)",
    r"я не могу (?:помочь|ответить|предоставить|создать|написать|выполнить)",
    r"(?:抱歉|对不起|對不起)\W?\s?(?:但)?(?:我|作为)[^。]{0,20}(?:无法|不能|無法|没办法)",
    r"作为(?:一个|一名)?(?:ai|人工智能)[^。]{0,20}(?:无法|不能)",
    r"申し訳(?:ありません|ございません)[^。]{0,60}(?:できません|できかねます|お答え|お手伝い)",
    r"(?:죄송합니다|죄송하지만)[^.]{0,60}(?:수 없|어렵)",
)
PATTERNS: Final = (*_ENGLISH, *_GERMAN, *_FRENCH, *_IBERIAN_ITALIAN, *_OTHERS)
