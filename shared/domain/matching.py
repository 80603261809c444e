"""Whether two victims of two agencies may be one person: what of an identity is compared, how much it says, and what
becomes of a proposal once people have decided.

What is compared are tokens: keyed hashes of identifiers in one spelling (``Vault.match``), under a key that agencies
share and coordination has not. Coordination sees that two tokens are the same, and can make none: it could try every
NIK there is. A machine only proposes; two people, one on each side, say that it is the same person, and even then
nothing is merged (UU 27/2022 Ps 16(2) d: data are to be accurate).
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from shared.contracts.codes import IdentityField, MatchKind, MatchState, MatchStrength, SamePerson
from shared.domain.spelling import normalise_name, normalise_nik, normalise_passport, normalise_phone


@dataclass(frozen=True, slots=True)
class Identifier:
    """Something that may show who somebody is: the fields it is made of, its one spelling, and what meeting in it
    says."""

    kind: MatchKind
    fields: tuple[IdentityField, ...]
    spelling: Callable[..., str]
    """Raises ValueError for what shows nothing."""
    strength: MatchStrength


def _nik(text: str) -> str:
    return _not_made_up(normalise_nik(text))


def _passport(text: str) -> str:
    return _not_made_up(normalise_passport(text))


def _not_made_up(number: str) -> str:
    if len({one for one in number if one.isdigit()}) == 1:
        raise ValueError("what is typed where there is no number")
    return number


def _name_and_birth(name: str, born_on: str) -> str:
    return f"{normalise_name(name)}\n{born_on}"


IDENTIFIERS = (
    Identifier(MatchKind.NIK, (IdentityField.NIK,), _nik, MatchStrength.STRONG),
    Identifier(MatchKind.PASSPORT, (IdentityField.PASSPORT,), _passport, MatchStrength.STRONG),
    # a family has one telephone, and a recruiter's is written down for all whom he brought
    Identifier(MatchKind.PHONE, (IdentityField.PHONE,), normalise_phone, MatchStrength.POSSIBLE),
    Identifier(
        MatchKind.NAME_AND_BIRTH,
        (IdentityField.NAME, IdentityField.BORN_ON),
        _name_and_birth,
        MatchStrength.POSSIBLE,
    ),
)
"""What is compared. Each wants all its fields: neither a name nor a day of birth alone says anything."""

COMMON = 8
"""A token that more people than this have shows nobody: somebody gave it for all of them, or it stands for none."""

TOKEN = re.compile(r"[1-9][0-9]{0,5}\.(nik|passport|phone|name-and-birth)\.[0-9a-f]{40}")
"""How every token looks: the number of the key, the kind, 160 bits of HMAC-SHA-256."""


def spelt(known: Mapping[str, str]) -> dict[MatchKind, str]:
    """The identifiers in what is known of a person (field → text), each in its one spelling. No token yet."""
    found = {}
    for identifier in IDENTIFIERS:
        texts = [known[field] for field in identifier.fields if field in known]
        if len(texts) == len(identifier.fields):
            try:
                found[identifier.kind] = identifier.spelling(*texts)
            except ValueError:
                continue
    return found


def token(key: int, kind: MatchKind, digest: str) -> str:
    """A token, of the number of the key it was made with and the keyed hash in hexadecimal."""
    return f"{key}.{kind}.{digest[:40]}"


def kind_of(token: str) -> MatchKind:
    """What a token was made of."""
    return MatchKind(token.split(".")[1])


def are_tokens(told: Mapping[str, str]) -> bool:
    """Whether this is kind → token, as ``token`` makes them, and nothing else."""
    return all(TOKEN.fullmatch(one) is not None and kind_of(one) == kind for kind, one in told.items())


def strength(kinds: Collection[MatchKind]) -> MatchStrength:
    """What it says that two meet in these: an exact number much, two things that say little as much."""
    strong = any(one.kind in kinds and one.strength is MatchStrength.STRONG for one in IDENTIFIERS)
    return MatchStrength.STRONG if strong or len(kinds) > 1 else MatchStrength.POSSIBLE


def state(said: str | None, other_said: str | None) -> MatchState:
    """What has become of a proposal by the last words of both sides (``SamePerson``): one no closes it, and only two
    make a link."""
    if SamePerson.DIFFERENT in (said, other_said):
        return MatchState.CLOSED
    return MatchState.LINKED if said == other_said == SamePerson.SAME else MatchState.OPEN
