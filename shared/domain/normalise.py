"""Normalisation of identifiers before keyed hashing (``Vault.blind``, ``Vault.match``).

Two people may write the same number or name differently; both spellings must give the same hash.
"""

import re
import unicodedata

PARTICLES = frozenset({"bin", "binti", "bt", "bte", "ibn", "h", "hj", "haji", "hajah", "hajjah", "alm", "almh"})
"""Words of a name that one desk writes and another leaves out: "child of", "pilgrim", "the late"."""
_LONG_FORMS = (
    (re.compile(r"m[ou]h(d|am[ae]d)?"), "muhamad"),
    (re.compile(r"abd"), "abdul"),
    (re.compile(r"st"), "siti"),
)
"""Short forms of names, as ``_SOUNDS`` leaves them → the long form."""
_SOUNDS = (
    *(
        ("oe", "u"),
        ("dj", "j"),
        ("tj", "c"),
        ("j", "y"),
    ),  # Van Ophuijsen 1901 and Suwandi 1947: Djoewita, Jusuf, Tjipto
    *(("ch", "h"), ("kh", "h"), ("dh", "d"), ("th", "t"), ("q", "k")),  # Achmad, Akhmad; Budhi, Budi; Taufiq, Taufik
)
"""Spellings of one sound → one spelling, applied in this order. The old ``j`` is today's ``y``, the old ``dj`` is
today's ``j``. A name does not show which spelling it follows, so all three become one."""
_ORNAMENT = re.compile(r"[\s.()/\-\u2010-\u2015]+")
_COUNTRY = "62"


def _digits(text: str) -> str:
    return _ORNAMENT.sub("", unicodedata.normalize("NFKC", text))


def normalise_nik(text: str) -> str:
    """The 16 digits of a NIK. Raises ValueError; the error never repeats the input."""
    digits = _digits(text)
    if not re.fullmatch(r"[0-9]{16}", digits):
        raise ValueError("a NIK has 16 digits")
    return digits


def normalise_passport(text: str) -> str:
    """The number of a passport, or of the travel document in its place (SPLP), in capitals, without spaces and hyphens.

    ICAO Doc 9303-4: a document number has up to nine letters and digits. The number of a document in place of a
    passport may be longer. Raises ValueError; the error never repeats the input.
    """
    number = _digits(text).upper()
    if not re.fullmatch(r"(?=(?:[A-Z]*[0-9]){4})[A-Z0-9]{5,12}", number):
        raise ValueError("the number of a passport has 5 to 12 letters and digits, and four digits at least")
    return number


def normalise_phone(text: str) -> str:
    """A telephone number as ``+<country><number>`` (E.164); Indonesian unless the number names another country.

    ``0812…``, ``812…``, ``62812…``, ``+62 (0)812…`` and ``0062812…`` are one number. Raises ValueError; the error
    never repeats the input.
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


def normalise_name(text: str) -> str:
    """The words of a person's name in one spelling, sorted. The result serves comparison only, never display.

    Capitals, accents, punctuation, particles, doubled letters and the order of the words make no difference. Nor do
    old spellings and the usual short forms. Raises ValueError if no letter is left; the error never repeats the input.
    """
    folded = _folded(text)
    while (again := _folded(folded)) != folded:  # the result of one folding may fold again
        folded = again
    if not folded:
        raise ValueError("a name has letters")
    return folded


def _folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = re.findall(r"[^\W\d_]+", re.sub(r"['\u2018\u2019\u02bc`]", "", plain.casefold()))
    return " ".join(sorted(_spelt(word) for word in [word for word in words if word not in PARTICLES] or words))


def _spelt(word: str) -> str:
    for old, new in _SOUNDS:
        word = word.replace(old, new)
    word = re.sub(r"(.)\1+", r"\1", word)
    return next((long for short, long in _LONG_FORMS if short.fullmatch(word)), word)
