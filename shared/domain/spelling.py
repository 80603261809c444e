"""One spelling for what is compared by a keyed hash (``Vault.blind``, ``Vault.match``): the same number, and the same
name, must give the same hash, whoever wrote it down."""

import re
import unicodedata

PARTICLES = frozenset({"bin", "binti", "bt", "bte", "ibn", "h", "hj", "haji", "hajah", "hajjah", "alm", "almh"})
"""Words of a name that one desk writes and the next leaves out: child of, pilgrim, the late."""
_LONG_FORMS = (
    (re.compile(r"m[ou]h(d|am[ae]d)?"), "muhamad"),
    (re.compile(r"abd"), "abdul"),
    (re.compile(r"st"), "siti"),
)
"""Words that are shortened on forms, as they stand after ``_SOUNDS``."""
_SOUNDS = (
    *(
        ("oe", "u"),
        ("dj", "j"),
        ("tj", "c"),
        ("j", "y"),
    ),  # Van Ophuijsen 1901 and Suwandi 1947: Djoewita, Jusuf, Tjipto
    *(("ch", "h"), ("kh", "h"), ("dh", "d"), ("th", "t"), ("q", "k")),  # Achmad, Akhmad; Budhi, Budi; Taufiq, Taufik
)
"""What is written in two ways and said in one, in this order. The old ``j`` is today's ``y`` and the old ``dj`` today's
``j``: nobody can tell by which spelling a name goes, so the three are one."""
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


def normalise_passport(text: str) -> str:
    """The number of a passport or of the paper in place of one (SPLP), in capitals without spaces and hyphens. Raises
    ValueError, which says nothing of what was given.

    (ICAO Doc 9303-4: the document number has up to nine letters and digits; papers in place of one may have more.)
    """
    number = _digits(text).upper()
    if not re.fullmatch(r"(?=(?:[A-Z]*[0-9]){4})[A-Z0-9]{5,12}", number):
        raise ValueError("the number of a passport has 5 to 12 letters and digits, and four digits at least")
    return number


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


def normalise_name(text: str) -> str:
    """The words of a person's name in one spelling, sorted: not how anybody is called, only what is compared.

    Capitals, accents, punctuation, particles, doubled letters, the order of the words, old spellings and the usual
    short forms make no difference. Raises ValueError, which says nothing of what was given, where nothing is left.
    """
    folded = _folded(text)
    while (again := _folded(folded)) != folded:  # one folding may make what another folds
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
