"""Matching: which identifiers show that two victims of two agencies may be one person, and the state of a proposal.

Coordination compares match tokens: keyed hashes of normalised identifiers (``Vault.match``). The agencies share the
key; coordination does not have it. So coordination sees that two match tokens are equal, but cannot make one:
otherwise it could try every NIK. The system only proposes. Two people, one on each side, decide that both are one
person. Even then nothing is merged (UU 27/2022 Ps 16(2) d: data are to be accurate).
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.contracts.codes import (
    IdentityField,
    MatchKind,
    MatchState,
    MatchStrength,
    MatchTurn,
    SamePerson,
    Stage,
    Status,
)
from shared.domain.commands import Asked, example
from shared.domain.identity import Identity
from shared.domain.normalise import normalise_name, normalise_nik, normalise_passport, normalise_phone
from shared.domain.referral import LIVE


class DecideMatch(Asked):
    """Decide whether both victims of a proposal are one person, from what this side knows of its own victim."""

    model_config = example(decision="same-person")

    decision: SamePerson


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind of identifier: its fields, its normalisation, and how strongly a shared value suggests one person."""

    kind: MatchKind
    fields: tuple[IdentityField, ...]
    normalise: Callable[..., str]
    """Normalises the texts of the fields. Raises ValueError for a value that identifies nobody."""
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
    # a family shares one telephone, and a recruiter's number may be recorded for every person he brought
    Identifier(MatchKind.PHONE, (IdentityField.PHONE,), normalise_phone, MatchStrength.POSSIBLE),
    Identifier(
        MatchKind.NAME_AND_BIRTH,
        (IdentityField.NAME, IdentityField.BORN_ON),
        _name_and_birth,
        MatchStrength.POSSIBLE,
    ),
)
"""The compared identifiers. Each needs all its fields: a name or a day of birth alone identifies nobody."""

COMMON = 8
"""A NIK or passport of more people than this is an alarm. A weaker identifier of so many desks identifies nobody."""

MEETINGS, MEETINGS_WITHIN = 5, timedelta(days=30)
"""So many meetings of one desk's registrations with others, within this time and without a referral, are an alarm."""

PROTECTION = frozenset({"temporary-protection"})
"""The services that protect a person in danger."""
PROTECTED_WHILE = frozenset(LIVE | {Status.COMPLETED})
"""Statuses of a referral for protection. After it is completed, the LPSK is asked to go on protecting."""
SHELTERED = frozenset({Stage.PROTECTION, Stage.SOCIAL_REHABILITATION})
"""The stages in which a person is protected or lives in a shelter."""

MATCH_TOKEN = re.compile(r"[1-9][0-9]{0,5}\.(nik|passport|phone|name-and-birth)\.[0-9a-f]{40}")
"""The form of every match token: the number of the key, the kind, 160 bits of HMAC-SHA-256."""


def normalised(known: Mapping[str, str]) -> dict[MatchKind, str]:
    """The normalised identifiers of a person, by kind. ``known``: field → text. Clear text, no match tokens."""
    found = {}
    for identifier in IDENTIFIERS:
        texts = [known[field] for field in identifier.fields if field in known]
        if len(texts) == len(identifier.fields):
            try:
                found[identifier.kind] = identifier.normalise(*texts)
            except ValueError:
                continue
    return found


def match_token(key: int, kind: MatchKind, digest: str) -> str:
    """The match token for the number of a key, a kind, and a keyed hash in hexadecimal."""
    return f"{key}.{kind}.{digest[:40]}"


def kind_of(match_token: str) -> MatchKind:
    """The kind of identifier of a match token."""
    return MatchKind(match_token.split(".")[1])


def are_match_tokens(told: Mapping[str, str]) -> bool:
    """Whether ``told`` maps kinds to match tokens of the same kind, and holds nothing else."""
    return all(MATCH_TOKEN.fullmatch(one) is not None and kind_of(one) == kind for kind, one in told.items())


def strength(kinds: Collection[MatchKind]) -> MatchStrength:
    """The strength with which these shared kinds suggest one person: strong for one strong kind, or for any two
    kinds."""
    strong = any(one.kind in kinds and one.strength is MatchStrength.STRONG for one in IDENTIFIERS)
    return MatchStrength.STRONG if strong or len(kinds) > 1 else MatchStrength.POSSIBLE


def state(said: str | None, other_said: str | None) -> MatchState:
    """The state of a proposal after the latest decisions of both sides (``SamePerson``, or None).

    One ``different-person`` closes the proposal. Only two ``same-person`` link the victims.
    """
    if SamePerson.DIFFERENT in (said, other_said):
        return MatchState.CLOSED
    return MatchState.LINKED if said == other_said == SamePerson.SAME else MatchState.OPEN


def turn(asked_first: bool, said: str | None, other_said: str | None) -> MatchTurn | None:
    """The side that decides now, as one side sees it; None once both sides have decided.

    ``asked_first``: whether this side decides first.
    """
    if said is not None and other_said is not None:
        return None
    if said is None and other_said is None:
        return MatchTurn.THIS_SIDE if asked_first else MatchTurn.OTHER_SIDE
    return MatchTurn.OTHER_SIDE if other_said is None else MatchTurn.THIS_SIDE


def shown_of_other(said: str | None, other_said: str | None) -> SamePerson | None:
    """The decision of the other side that this side may see: only one that closes or links the proposal."""
    told = other_said == SamePerson.DIFFERENT or state(said, other_said) is MatchState.LINKED
    return SamePerson(other_said) if other_said and told else None


def identifies(kind: MatchKind, people_by_desk: Mapping[Any, int], *desks: Any) -> bool:
    """Whether an identifier shows one person, between victims of these ``desks``.

    ``people_by_desk``: desk → the people with this identifier whom the desk registered. A NIK or passport always shows
    one, or somebody could hide a person behind invented ones. The telephone of a group that a desk met shows nobody
    there. A telephone that many desks wrote down shows nobody at all.
    """
    if strength([kind]) is MatchStrength.STRONG:
        return True
    return len(people_by_desk) < COMMON and all(people_by_desk.get(desk, 0) < COMMON for desk in desks)


def too_many(kind: MatchKind, people: int) -> bool:
    """Whether so many people with one identifier are an alarm."""
    return strength([kind]) is MatchStrength.STRONG and people > COMMON


SEARCHABLE = frozenset(field for identifier in IDENTIFIERS for field in identifier.fields)
"""The identity fields that make match tokens."""


def is_search(identity: Identity | None) -> bool:
    """Whether a new victim with this identity may meet a victim of another agency."""
    return identity is not None and bool(normalised(identity.model_dump(exclude_none=True)))


def may_complete_search(identity: Identity) -> bool:
    """Whether these fields, beside those that are known already, may meet a victim of another agency."""
    return not SEARCHABLE.isdisjoint(identity.model_dump(exclude_none=True))


def searches(known: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """The identity fields by which ``known`` may meet another victim and ``before`` could not, sorted.

    Field → text. To write them down is to search by them: the desk may learn that the person is known elsewhere.
    """
    new, old = normalised(known), normalised(before)
    kinds = {kind for kind, value in new.items() if old.get(kind) != value}
    return fields_of(kinds)


def fields_of(kinds: Collection[str]) -> list[str]:
    """The identity fields of these kinds of identifiers, sorted."""
    return sorted({field for one in IDENTIFIERS if one.kind in kinds for field in one.fields})


KEY_PURPOSE = "tokens"
"""The key purpose that the key of the match tokens is bound to; a referral's key has its own."""
