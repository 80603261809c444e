"""Whose word counts for who a victim is: our own, then the custody holder's, then that of others.

What others state is shown with its source. It is passed on only after a person of ours has taken it over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from shared.contracts.codes import IdentityField
from shared.domain.normalise import normalise_nik, normalise_passport, normalise_phone


class Weight(IntEnum):
    """The order in which words count, the first one first."""

    COURT = 0
    """Text that a legal hold keeps, shown to a court before anything written later."""
    OURS = 1
    HOLDER = 2
    """The word of the custody holder; for the holder itself, the text that came with the custody."""
    OTHER = 3


@dataclass(frozen=True, slots=True)
class Speakers:
    """The agencies whose words about a victim count, as known at the agency ``ours``."""

    victim_id: str
    ours: str
    holder: str | None
    """The custody holder; None where no custody is known here."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text of identity fields, with the agency that stated it and the moment at which it came here (UTC)."""

    agency: str
    at: datetime
    fields: Mapping[str, str]
    handed_over: bool = False
    """The text came with a transfer, and a person of ours accepted the custody with it."""
    for_court: bool = False
    source: str = ""
    """Our own text, or the referral with which the text came."""


@dataclass(frozen=True, slots=True)
class Said:
    """The value of one field as one agency states it."""

    agency: str
    at: datetime
    value: str
    weight: Weight
    source: str = ""


Words = Mapping[str, Sequence[Said]]
"""Field → what each agency says of it. The first value counts."""


def weigh(source: Source, speakers: Speakers) -> Weight:
    """The weight of a text, by the present custody."""
    if source.for_court:
        return Weight.COURT
    if source.agency == speakers.ours:
        return Weight.OURS
    ours = speakers.holder == speakers.ours
    return Weight.HOLDER if (source.handed_over if ours else source.agency == speakers.holder) else Weight.OTHER


def words(sources: Iterable[Source], speakers: Speakers) -> Words:
    """What each agency says of each field, the value that counts first. ``sources``: oldest first.

    Of two texts of equal weight the later one counts. Of each agency and weight, one value is told.
    """
    latest_first = reversed(list(sources))
    found: dict[str, list[Said]] = {}
    for source in sorted(latest_first, key=lambda one: weigh(one, speakers)):
        for name, value in source.fields.items():
            said, weight = found.setdefault(name, []), weigh(source, speakers)
            if all((one.agency, one.weight) != (source.agency, weight) for one in said):
                said.append(Said(source.agency, source.at, value, weight, source.source))
    return found


def counting(said: Words) -> dict[str, str]:
    """Field → the value that counts."""
    return {name: values[0].value for name, values in said.items()}


def differing(said: Words) -> dict[str, Sequence[Said]]:
    """The fields of which two agencies say different things, with everything that is said of them."""
    return {name: values for name, values in said.items() if not _agreed(name, values)}


def to_give_on(said: Words, speakers: Speakers) -> dict[str, Said]:
    """The values that we may pass on: our own, and those of the custody holder.

    An agency that was asked for a service often knows no custody. It passes on the word of the one agency that it
    works for. Where several speak, it cannot tell which of them holds the victim. Then a person takes a value over.
    """
    others = {one.agency for values in said.values() for one in values} - {speakers.ours}
    only_one = speakers.holder is None and len(others) == 1
    return {name: values[0] for name, values in said.items() if only_one or values[0].weight is not Weight.OTHER}


def _agreed(name: str, values: Sequence[Said]) -> bool:
    return len({_comparable(name, one.value) for one in values}) == 1


_NUMBERS: Mapping[str, Callable[[str], str]] = {
    IdentityField.NIK: normalise_nik,
    IdentityField.PASSPORT: normalise_passport,
    IdentityField.PHONE: normalise_phone,
}


def _comparable(name: str, value: str) -> str:
    """A value in a form in which two spellings of one number are equal."""
    try:
        return _NUMBERS[name](value)
    except (KeyError, ValueError):
        return " ".join(value.casefold().split())
