"""The slices of every member together: problem codes with their texts."""

from collections.abc import Mapping
from importlib import import_module

from services.members import SERVICES
from shared.domain.refusal import Refusal
from shared.service.member import Member
from shared.service.slice import all_refusals


def member(code: str) -> Member:
    """A member of the shipped network."""
    found: Member = import_module(SERVICES[code]).MEMBER
    return found


OF_MEMBER: Mapping[str, Mapping[str, Refusal]] = {code: all_refusals(member(code).slices) for code in SERVICES}
"""Member → problem code → status and texts."""
CATALOGUE: Mapping[str, Refusal] = {code: kind for known in OF_MEMBER.values() for code, kind in known.items()}
"""Every problem code of the network."""
