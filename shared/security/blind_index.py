"""One spelling for what is looked up by a keyed hash (``Vault.blind``): the same number must give the same hash."""

import re
import unicodedata

_ORNAMENT = re.compile(r"[\s.()/\-\u2010-\u2015]+")
_COUNTRY = "62"


def _digits(text: str) -> str:
    return _ORNAMENT.sub("", unicodedata.normalize("NFKC", text))


def normalise_nik(text: str) -> str:
    """The 16 digits of a NIK. Raises ValueError, which says nothing of what was given."""
    digits = _digits(text)
    if not re.fullmatch(r"[0-9]{16}", digits):
        raise ValueError("a NIK has 16 digits")
    return digits


def normalise_phone(text: str) -> str:
    """A telephone number as ``+<country><number>`` (E.164); Indonesian where nothing says otherwise.

    ``0812…``, ``812…``, ``62812…``, ``+62 (0)812…`` and ``0062812…`` are one number. Raises ValueError, which says
    nothing of what was given.
    """
    digits = _digits(text)
    international = digits.startswith(("+", "00"))
    digits = digits[1:] if digits.startswith("+") else digits[2:] if international else digits
    if digits.startswith(_COUNTRY):
        digits = _COUNTRY + digits.removeprefix(_COUNTRY).lstrip("0")
    elif not international and digits.startswith(("0", "8")):
        digits = _COUNTRY + digits.lstrip("0")
    elif not international:
        raise ValueError("a telephone number from abroad begins with + and the country")
    if not re.fullmatch(r"[1-9][0-9]{7,14}", digits):
        raise ValueError("a telephone number has 8 to 15 digits")
    return f"+{digits}"
