"""The table of contents of an agency: the slices that every agency has, and how an agency adds its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from shared.agency import reference
from shared.agency.examples import examples
from shared.agency.inbound import Inbound, receivers_of
from shared.agency.parts import Objections
from shared.casework import backdated, capacity, cases, clocks, consent, letters, people_list, records, referrals
from shared.casework.records.filing import Effect
from shared.casework.records.routes import rules_of
from shared.domain.access import AGENCY_RULES, AccessRule
from shared.domain.agency import Agency
from shared.service import operations
from shared.service.member import Member
from shared.service.slice import Slice
from shared.storage.migrate import EXCHANGE
from shared.victims import break_glass, disclosure, erasure, identity, interviews, matching, register, sealed

SLICES = (
    *(register, interviews, sealed, matching, identity, break_glass, disclosure, erasure),
    *(clocks, capacity, backdated, referrals, cases, consent, people_list, letters),
    *(reference, operations),
)
"""Every agency has these, and the records of its own forms."""

LINEAGES = (EXCHANGE, Path(__file__).with_name("migrations"))
"""The migration folders of every agency."""
NOTHING: Mapping[str, Effect] = MappingProxyType({})
NO_RULES: Mapping[str, AccessRule] = MappingProxyType({})


def agency_member(
    agency: Agency,
    effects: Mapping[str, Effect] = NOTHING,
    slices: Sequence[Slice] = (),
    rules: Mapping[str, AccessRule] = NO_RULES,
    lineages: Sequence[Path] = (),
) -> Member:
    """The member of an agency: the parts that all agencies share, and the agency's own.

    ``effects``: form → what the agency does when the form is filed. ``slices``, ``rules`` and ``lineages`` add to
    the shared ones, as in ``Member``. Raises ValueError where two slices claim the same event or problem code.
    """
    together = (*(one.SLICE for one in SLICES), records.slice_of(agency, effects), *slices)
    receivers = receivers_of(together)
    return Member(
        agency=agency,
        slices=together,
        rules={**AGENCY_RULES, **rules_of(agency), **rules},
        lineages=(*LINEAGES, *lineages),
        apply=lambda office: Inbound(office, receivers),
        objects=Objections,
        examples=examples,
    )
