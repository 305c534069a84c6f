"""Which language a text is written in, and the names of languages.

By script where a script settles it; else by function words, a few very common words, and telling letters.
"""

from __future__ import annotations

import re
from collections import Counter

from .words import WORD

__all__ = ["LANGUAGE_NAMES", "detect", "language_code", "languages_named"]

LANGUAGE_NAMES: dict[str, tuple[str, ...]] = {
    "en": ("English", "inglés", "anglais", "Englisch", "inglese", "inglês"),
    "es": ("Spanish", "español", "espagnol", "Spanisch", "spagnolo", "espanhol", "castellano", "espanol"),
    "fr": ("French", "français", "francés", "Französisch", "francese", "francês", "francais"),
    "de": ("German", "Deutsch", "alemán", "allemand", "tedesco", "alemão"),
    "it": ("Italian", "italiano", "italien", "Italienisch"),
    "pt": ("Portuguese", "português", "portugués", "portugais", "Portugiesisch", "portoghese"),
    "nl": ("Dutch", "Nederlands"),
    "zh": ("Chinese", "中文", "Mandarin", "chino", "chinois", "Chinesisch"),
    "ja": ("Japanese", "日本語", "japonés", "japonais", "Japanisch"),
    "ko": ("Korean", "한국어"),
    "ru": ("Russian", "русский", "ruso", "russe", "Russisch"),
    "uk": ("Ukrainian", "українська"),
    "ar": ("Arabic", "العربية", "árabe", "arabe"),
    "he": ("Hebrew", "עברית"),
    "hi": ("Hindi", "हिन्दी"),
    "el": ("Greek", "ελληνικά"),
    "th": ("Thai", "ไทย"),
    "tr": ("Turkish", "Türkçe"),
    "pl": ("Polish", "polski"),
    "sv": ("Swedish", "svenska"),
    "la": ("Latin",),
}
"""By ISO 639-1 code: the English name first, then others."""

_CODE_OF = {name.lower(): code for code, names in LANGUAGE_NAMES.items() for name in names}

_SCRIPTS: dict[str, re.Pattern[str]] = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af\u1100-\u11ff]"),
    "zh": re.compile(r"[\u4e00-\u9fff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
}
_UKRAINIAN = re.compile(r"[іїєґІЇЄҐ]")

_COMMON: dict[str, frozenset[str]] = {
    code: frozenset(text.split())
    for code, text in {
        "en": """
            the of and to in is you that it he was for on are as with his they at be this have from or had by but
            what all were we when your can said there use an each which she do how their if will up about out many
            then them these so some her would make like him into time has look two more go see no way could my than
            been who its now did get i a me hello hi hey please thanks thank good morning need want help does tell
            where why weather what's i'm don't let's yes am know today tomorrow
        """,
        "es": """
            el la los las de que y en un una es por para con no se lo su al como más pero sus le ya o este sí porque
            esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni
            contra otros ese eso qué cómo cuál dónde cuándo hola gracias buenos buenas días tardes noches estás está
            estoy eres soy favor quiero necesito puedes ayuda tengo mi tu clima tiempo hace hoy mañana señor usted
            adiós cuánto cuántos tal dime hacer del puede quisiera vuelo llamo llama bien ayudar
        """,
        "fr": """
            le la les de des du et à en un une est que qui dans pour ce il elle ne pas sur se plus par je avec tout
            faire son mettre autre on mais nous comme ou si leur y dire cette vous au aux quel quelle quels bonjour
            salut merci comment où quand pourquoi combien suis es ça va aujourd'hui demain s'il plaît veux voudrais
            besoin peux pouvez aide mon ma mes ton ta tes votre c'est j'ai temps fait-il fait bonsoir oui non être
            avoir allez qu'est-ce l'aide m'aider d'une d'un aider m'appelle j'aimerais
        """,
        "de": """
            der die das und in zu den ist von mit sich des auf für nicht ein eine als auch es an werden aus er hat
            dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur
            bis mehr durch man ich du wir ihr mir mich dich was wer wo wann warum hallo guten tag morgen abend danke
            bitte kannst können möchte brauche hilfe geht wetter heute mein dein kein im bin bist heiße wieviel gibt
        """,
        "it": """
            il lo la i gli le di a da in con su per tra un uno una e è che non si sono come più ma anche se ci
            questo quello della del dei nel nella ho hai ha io tu lui lei noi voi ciao buongiorno buonasera grazie
            prego dove quando perché quanto cosa chi che vorrei posso puoi aiuto tempo oggi domani sto stai sta bene
            mi ti fa mio tuo sono dimmi chiamo
        """,
        "pt": """
            o a os as de que e do da em um uma para é com não se na por mais dos como mas foi ao ele das tem à seu
            sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre olá obrigado obrigada
            bom boa dia tarde noite você vocês onde quem quanto qual posso pode quero preciso ajuda tempo hoje
            amanhã meu minha estou tudo bem favor gostaria chamo
        """,
        "nl": """
            de het een en van ik te dat die in is op aan met als voor had er maar om hem dan zou of wat mijn men dit
            zo door over ze zich bij ook tot je mij uit der daar haar naar heb hoe heeft hebben deze u want nog zal
            me zij nu hallo goedemorgen dank alstublieft waar wanneer waarom kun kunt
        """,
    }.items()
}
_TELLING: dict[str, str] = {"es": "ñ¿¡", "fr": "çœêèùû", "de": "ßäöü", "pt": "ãõ", "it": "ìò"}
_SAMPLE_CHARACTERS = 4_000


def detect(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of `text`, or None where nothing tells.

    At most the first 4,000 characters are looked at.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    by_script = _by_script(sample)
    if by_script is not None:
        return by_script
    words = [word.lower().replace("’", "'") for word in WORD.findall(sample)]
    if not words:
        return None
    scores: Counter[str] = Counter()
    for code, common in _COMMON.items():
        scores[code] = 2 * sum(1 for word in words if word in common)
    lower = sample.lower()
    for code, letters in _TELLING.items():
        scores[code] += min(3, sum(lower.count(letter) for letter in letters))
    best, score = scores.most_common(1)[0]
    if score == 0:
        return None
    if scores["en"] == score:  # the tie of a borrowed word or a foreign name
        return "en"
    return best


def _by_script(sample: str) -> str | None:
    letters = sum(1 for c in sample if c.isalpha())
    counts = {code: len(pattern.findall(sample)) for code, pattern in _SCRIPTS.items()}
    if counts["ja"] and (counts["ja"] + counts["zh"]) * 2 >= letters:
        return "ja"  # kana among Chinese characters
    code = max(counts, key=lambda name: counts[name])
    if not counts[code] or counts[code] * 3 < letters:
        return None
    return "uk" if code == "ru" and _UKRAINIAN.search(sample) else code


def language_code(name: str) -> str | None:
    """Return the code of a language's name in any of the languages known here, or None."""
    return _CODE_OF.get(name.lower())


def languages_named(text: str) -> list[str]:
    """Return the codes of the languages that `text` names, in order of mention, each once."""
    found: dict[str, None] = {}
    for word in WORD.findall(text.replace("_", " ")):
        code = _CODE_OF.get(word.lower())
        if code is not None:
            found.setdefault(code)
    return list(found)
