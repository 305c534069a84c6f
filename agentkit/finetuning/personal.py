"""Personal data in texts: what looks like an address, a number of a telephone, a card, an account or a person."""

from __future__ import annotations

import re

__all__ = ["personal_data"]

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w@])")
_MADE_UP = re.compile(r"@(?:[\w-]+\.)*(?:example|test|invalid|localhost)(?:\.(?:com|org|net))?\Z", re.I)
_PHONE = re.compile(
    r"(?<![\w.+/-])"
    r"(?:\+\d{1,3}[ ./-]?(?:\(\d{1,4}\)[ ./-]?)?\d(?:[ ./-]?\d){6,12}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})"
    r"(?![\w-])"
)
_FICTION = re.compile(r"555-?01\d\d\Z")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\d.-])(?:\d[ -]?){12,18}\d(?![\d.-])")
_SOCIAL = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_DIGITS = re.compile(r"\d[\d ./()-]{6}")
"""What all of these numbers have in them: looked for first, since that is fast."""


def personal_data(text: str) -> list[str]:
    """Return what personal data a text seems to have, each kind once, such as "an e-mail address".

    Numbers of accounts and cards count where their check digits are right; addresses at example.com and numbers kept
    for fiction don't.
    """
    found = []
    if "@" in text and any(_MADE_UP.search(match[0]) is None for match in _EMAIL.finditer(text)):
        found.append("an e-mail address")
    if _DIGITS.search(text) is None:
        return found
    if any(_FICTION.search(match[0]) is None for match in _PHONE.finditer(text)):
        found.append("a phone number")
    if any(_is_iban(match[0]) for match in _IBAN.finditer(text)):
        found.append("a bank account (IBAN)")
    if any(_is_card(match[0]) for match in _CARD.finditer(text)):
        found.append("a card number")
    if _SOCIAL.search(text):
        found.append("a social security number")
    return found


def _is_iban(text: str) -> bool:
    """Return whether an account number's check digits are right (ISO 13616: modulo 97)."""
    digits = text.replace(" ", "")
    if not 15 <= len(digits) <= 34:
        return False
    return int("".join(str(int(each, 36)) for each in digits[4:] + digits[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """Return whether a card number's check digit is right (ISO/IEC 7812: Luhn), and it begins as cards do."""
    digits = [int(each) for each in text if each.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (3, 4, 5, 6) or len(set(digits)) < 3:
        return False
    doubled = [each * 2 - 9 * (each > 4) for each in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
