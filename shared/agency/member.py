"""An agency as a member: the slices that every agency has, and what is its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter

from shared.agency import reference_routes as reference
from shared.agency.examples import examples
from shared.agency.inbound import Inbound
from shared.casework.capacity import routes as capacity_routes
from shared.casework.cases import routes as cases_routes
from shared.casework.clocks import due as due_clocks
from shared.casework.clocks import routes as clocks_routes
from shared.casework.clocks import running as clocks
from shared.casework.consent import expiring
from shared.casework.consent import routes as consent_routes
from shared.casework.letters import routes as letters_routes
from shared.casework.people_list import routes as people_list_routes
from shared.casework.people_list import store as people_list
from shared.casework.records import routes as records_routes
from shared.casework.records.filing import Effect
from shared.casework.referrals import routes as referrals_routes
from shared.domain.access import AGENCY, Rule
from shared.domain.agency import Agency
from shared.http.idempotency import forget_answers, next_forgotten_answer
from shared.messaging.parked import deadline_of_parked
from shared.reference.office import Office
from shared.service.member import Member
from shared.service.operations import routes as operations_routes
from shared.storage.migrate import EXCHANGE
from shared.storage.notifier import Topic
from shared.storage.timers import Deadline
from shared.storage.unit_of_work import Transaction
from shared.victims.break_glass import routes as break_glass_routes
from shared.victims.break_glass.timers import deadlines as of_break_glass
from shared.victims.disclosure import routes as disclosure_routes
from shared.victims.erasure import routes as erasure_routes
from shared.victims.identity import routes as identity_routes
from shared.victims.erasure.retention import erase_due, next_erasure
from shared.victims.matching import match_tokens
from shared.victims.matching import routes as matching_routes
from shared.victims.matching import store as matches

AGENCY_LINEAGES = (EXCHANGE, Path(__file__).with_name("migrations"))
NOTHING: Mapping[str, Effect] = MappingProxyType({})
NO_RULES: Mapping[str, Rule] = MappingProxyType({})


def _deadlines(office: Office) -> Sequence[Deadline]:
    own = (due_clocks.deadline(office), expiring.deadline(office), match_tokens.deadline(office))
    return [*own, *of_break_glass(office), *deadlines(office)]


def _begin(tx: Transaction, office: Office) -> None:
    clocks.adopt(tx, office)
    match_tokens.begin(tx, office)


def agency_member(
    agency: Agency,
    effects: Mapping[str, Effect] = NOTHING,
    routers: Sequence[APIRouter] = (),
    rules: Mapping[str, Rule] = NO_RULES,
    lineages: Sequence[Path] = (),
) -> Member:
    """The member of an agency: the parts that all agencies share, and the agency's own.

    ``effects``: form → what the agency does when the form is filed. ``routers``, ``rules`` and ``lineages`` add to
    the shared ones, as in ``Member``.
    """
    work = (
        cases_routes.router,
        identity_routes.router,
        people_list_routes.router,
        referrals_routes.router,
        capacity_routes.router,
        letters_routes.router,
        letters_routes.pages,
        matching_routes.router,
        clocks_routes.router,
        erasure_routes.router,
        consent_routes.router,
        disclosure_routes.router,
        break_glass_routes.router,
    )
    forms = (records_routes.router_of(agency, effects), records_routes.router)
    common = (*work, *forms, reference.router, operations_routes.router)
    return Member(
        agency,
        (*common, *routers),
        {**AGENCY, **records_routes.rules_of(agency), **rules},
        (*AGENCY_LINEAGES, *lineages),
        Inbound,
        deadlines=_deadlines,
        begin=_begin,
        examples=examples,
        forgets=(people_list.forget_role, matches.forget),
    )


def deadlines(office: Office) -> Sequence[Deadline]:
    """The retention timers of an agency."""
    return (
        Deadline(Topic.RETENTION, next_erasure, lambda tx: erase_due(tx, office)),
        Deadline(Topic.RETENTION, next_forgotten_answer, forget_answers),
        deadline_of_parked(office),
    )

