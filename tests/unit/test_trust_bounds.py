"""The table of trust: every name, number and moment in an event, and the chain of custody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.contracts import events as e
from shared.contracts.codes import Kind, LegalBasis, RejectReason
from shared.contracts.types import Custody
from shared.domain import trust
from shared.domain.objection import Reader, objection
from shared.domain.trust import AHEAD, RULES, Distance, Number, Since, To
from tests.support.sayings import ASKED, DESK, NOW, OTHER, READER, REFERRAL, SENDER, saying
from tests.support.trust import (
    AGENCY,
    ALL_PARTS,
    ANSWERS,
    ASKS,
    COORDINATION,
    COORDINATOR,
    MOMENTS,
    SINCE,
    SITUATIONS,
    THIRD,
    TO_COORDINATION,
    WITH_A_DESK,
    Known,
    addressee,
    outcome,
    situation,
    told,
)

# --- names ------------------------------------------------------------------------------------------------------------

SPOKEN = [kind for kind, rule in RULES.items() if rule.desk]


def reader_of(kind: type[e.EventData]) -> Reader:
    return AGENCY if RULES[kind].agency else COORDINATOR


def test_these_events_name_the_desk_of_their_sender() -> None:
    assert set(SPOKEN) == WITH_A_DESK


@pytest.mark.parametrize("kind", SPOKEN)
def test_no_member_speaks_of_the_desk_of_another_or_of_a_desk_that_is_not_there(kind: type[e.EventData]) -> None:
    field = RULES[kind].desk or ""
    data = saying(kind)
    desk = getattr(data, field)
    theirs = data.model_copy(update={field: desk.model_copy(update={"agency": THIRD})})
    nowhere = data.model_copy(update={field: desk.model_copy(update={"unit": "dinsos-tidak-ada"})})
    assert outcome(reader_of(kind), ALL_PARTS, data) is None
    assert outcome(reader_of(kind), ALL_PARTS, theirs) == "not-the-sender"
    assert outcome(reader_of(kind), ALL_PARTS, nowhere) == "unknown-desk"


def test_only_a_break_glass_is_passed_on_with_the_desk_of_another() -> None:
    by_coordination = situation(by=COORDINATION)
    for kind in (e.BreakGlassOpened, e.CapacityAnnounced):
        relayed = RULES[kind].relayed
        assert (outcome(AGENCY, by_coordination, saying(kind)) is None) == relayed == (kind is e.BreakGlassOpened)


def test_a_clock_is_escalated_to_a_desk_of_the_same_agency() -> None:
    data = saying(e.ClockEscalated, to=ASKED)
    assert outcome(AGENCY, ALL_PARTS, data) == "not-the-sender"


def test_a_request_goes_to_the_agency_of_the_desk_that_it_names() -> None:
    assert outcome(AGENCY, SITUATIONS["S"], saying(e.Requested, receiver=DESK)) == "not-the-sender"
    assert outcome(COORDINATOR, SITUATIONS["H"], saying(e.Requested), to=COORDINATION) == "not-the-sender"


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.to is To.COORDINATOR])
def test_an_event_for_the_coordinator_alone_counts_nowhere_else(kind: type[e.EventData]) -> None:
    assert kind in TO_COORDINATION
    assert outcome(COORDINATOR, ALL_PARTS, saying(kind), to=READER) == "not-for-this-receiver"


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.to is To.OTHER_SIDE])
def test_what_one_side_says_goes_to_the_other_side_of_the_referral(kind: type[e.EventData]) -> None:
    assert kind in (*ANSWERS, *ASKS, e.RecordDelivered)
    side = SITUATIONS["Q"] if kind in ASKS else SITUATIONS["T"]
    assert outcome(COORDINATOR, side, saying(kind), to=THIRD) == "not-for-this-receiver"


@pytest.mark.parametrize("kind", [*ANSWERS, *ASKS, e.RecordDelivered, e.LetterIssued])
def test_an_event_of_a_referral_names_the_victim_of_the_referral(kind: type[e.EventData]) -> None:
    side = SITUATIONS["Q"] if kind in ASKS else SITUATIONS["T"]
    assert outcome(AGENCY, side, saying(kind, victim_id=OTHER)) == "id-of-another-victim"


# --- numbers and moments ----------------------------------------------------------------------------------------------

BOUNDED = [(kind, bound) for kind, rule in RULES.items() for bound in rule.bounds]
EDGES = {(kind.__name__, bound.field): (kind, bound) for kind, bound in BOUNDED}
STEP = timedelta(microseconds=1)


def _with(data: e.EventData, path: str, value: object) -> e.EventData:
    name, _, inner = path.partition(".")
    if inner:
        before = getattr(data, name) or Custody(**dict(DESK), seq=2)
        value = before.model_copy(update={inner: value})
    return data.model_copy(update={name: value})


@pytest.mark.parametrize(("kind", "bound"), [(kind, bound) for kind, bound in BOUNDED if isinstance(bound, Number)])
def test_a_number_keeps_its_bounds(kind: type[e.EventData], bound: Number) -> None:
    def fits(value: int) -> bool:
        many = isinstance(getattr(saying(kind), bound.field, None), tuple)
        data = _with(saying(kind), bound.field, (OTHER,) * value if many else value)
        if bound.field == "custody_seq":
            data = data.model_copy(update={"kind": Kind.TRANSFER})
        return all(one.fits(data) for one in RULES[kind].bounds)

    assert [fits(bound.least), fits(bound.most)] == [True, True]
    assert not fits(bound.most + 1)
    assert bound.least == 0 or not fits(bound.least - 1)


@pytest.mark.parametrize(("kind", "bound"), [(kind, bound) for kind, bound in BOUNDED if isinstance(bound, Distance)])
def test_a_moment_keeps_its_bounds(kind: type[e.EventData], bound: Distance) -> None:
    def fits(distance: timedelta) -> bool:
        data = saying(kind)
        since = getattr(data, bound.since) or NOW
        data = _with(_with(data, bound.since, since), bound.field, since + distance)
        return bound.fits(data)

    assert fits(bound.least) and fits(bound.most)
    assert not fits(bound.least - STEP) and not fits(bound.most + STEP)


def test_an_event_out_of_bounds_is_parked() -> None:
    late = saying(e.Requested, due_at=NOW - STEP)
    assert outcome(AGENCY, ALL_PARTS, late) == "out-of-bounds"
    never = saying(e.Requested, due_at=NOW + trust.LONGEST_LIMIT + STEP)
    assert outcome(AGENCY, ALL_PARTS, never) == "out-of-bounds"


def test_a_transfer_has_a_number_of_custody_and_nothing_else_has() -> None:
    for kind, seq in ((Kind.TRANSFER, None), (Kind.REFERRAL, 2)):
        assert outcome(AGENCY, ALL_PARTS, saying(e.Requested, kind=kind, custody_seq=seq)) == "out-of-bounds"


def test_a_request_names_a_consent_only_where_it_rests_on_consent() -> None:
    data = saying(e.Requested, consent_id=OTHER)
    for basis, reason in ((LegalBasis.CONSENT, None), (LegalBasis.PUBLIC_TASK, "out-of-bounds")):
        envelope = told(data, SENDER, READER, basis=basis)
        assert objection(AGENCY, envelope, data, Known(ALL_PARTS), NOW) == reason


@pytest.mark.parametrize("kind", RULES)
def test_no_event_is_believed_before_its_time(kind: type[e.EventData]) -> None:
    data, reader = saying(kind), reader_of(kind)
    to = addressee(reader, ALL_PARTS, data)
    side = SITUATIONS["Q"] if kind in ASKS else ALL_PARTS
    for late, reason in ((AHEAD, None), (AHEAD + STEP, "told-ahead-of-time")):
        envelope = told(data, COORDINATION if RULES[kind].lacking == "not-the-coordinator" else SENDER, to, NOW + late)
        assert objection(reader, envelope, data, Known(side), NOW) == reason
    if "occurred_at" in kind.model_fields:
        later = data.model_copy(update={"occurred_at": NOW + STEP})
        assert objection(reader, told(later, SENDER, to), later, Known(ALL_PARTS), NOW) == "occurred-after-it-was-told"


@pytest.mark.parametrize("kind", RULES)
def test_nothing_occurs_before_what_it_follows(kind: type[e.EventData]) -> None:
    assert RULES[kind].since == SINCE.get(kind, ())
    side = SITUATIONS["Q"] if kind in ASKS else ALL_PARTS
    for since in SINCE.get(kind, ()):
        data = of_a_transfer(saying(kind)) if since is Since.LAST_LINK else saying(kind)
        for cause, reason in ((NOW + AHEAD, None), (NOW + AHEAD + STEP, "occurred-before-its-cause")):
            known: dict[str, object] = {"links": {1: link(SENDER, 1)}, MOMENTS[since]: cause}
            assert outcome(reader_of(kind), side, data, None, **known) == reason


def of_a_transfer(data: e.EventData) -> e.EventData:
    """The request of a transfer of link 2, or its acceptance."""
    if isinstance(data, e.Requested):
        return data.model_copy(update={"kind": Kind.TRANSFER, "custody_seq": 2})
    return data.model_copy(update={"custody": link(SENDER, 2)})


# --- custody ----------------------------------------------------------------------------------------------------------


def link(agency: str, seq: int) -> Custody:
    return Custody(agency=agency, unit="satuan-74", region="74", seq=seq)


def offer(reader: Reader, seq: int, *links: Custody) -> str | None:
    """What becomes of an offer of a link by SENDER, where these links are known."""
    data = saying(e.Requested, kind=Kind.TRANSFER, custody_seq=seq)
    known = {one.seq: one for one in links}
    newest = known[max(known)] if known else None
    return outcome(reader, ALL_PARTS, data, to=READER, newest=newest, links=known)


@pytest.mark.parametrize("reader", [AGENCY, COORDINATOR])
def test_only_the_holder_of_a_link_offers_the_next(reader: Reader) -> None:
    assert offer(reader, 2, link(SENDER, 1)) is None
    assert offer(reader, 2, link("police", 1)) == "not-the-holder"
    assert offer(reader, 3, link("police", 1), link(SENDER, 2)) is None
    assert offer(reader, 2, link(SENDER, 1), link("police", 2)) is None  # an older offer of its own, on its way
    assert offer(reader, 2, link("police", 2)) == "custody-link-taken"


def test_an_offer_that_skips_links_waits_for_them_where_they_must_come() -> None:
    assert offer(COORDINATOR, 4, link("police", 1)) == "not-in-custody"
    assert offer(COORDINATOR, 2) == "not-in-custody"
    assert offer(AGENCY, 4, link("police", 1)) is None  # an agency hears of its own transfers alone
    assert offer(AGENCY, 2) is None
    assert offer(AGENCY, 4, link(READER, 2)) == "not-in-custody"  # it is ours, as far as we know


@pytest.mark.parametrize("reader", [AGENCY, COORDINATOR])
def test_a_receiver_gives_no_custody_back_whose_link_the_reader_has(reader: Reader) -> None:
    """The link is in the chain of a reader that applied the acceptance (0040)."""
    denial = saying(e.Rejected, reason=RejectReason.SENDER_WITHOUT_CUSTODY)
    accepted, open_still = SITUATIONS["T"], replace(SITUATIONS["T"], taken_on=False)
    assert outcome(reader, accepted, denial) == "custody-link-stands"
    assert outcome(reader, open_still, denial) is None
    assert outcome(reader, accepted, denial, link_of_referral=False) is None  # it was taken back before it came
    assert outcome(reader, accepted, denial, transfer=False) is None  # the rules of the referral refuse it
    assert outcome(reader, accepted, saying(e.Rejected, reason=RejectReason.NO_CAPACITY)) is None
    assert outcome(reader, SITUATIONS["Q"], denial) == "not-the-receiver"


def test_a_desk_speaks_of_its_own_matters_without_a_part() -> None:
    nobody = saying(e.RecordFiled, victim_id=None, case_id=None, referral_id=None)
    assert outcome(COORDINATOR, SITUATIONS["S"], nobody) is None
    assert outcome(COORDINATOR, SITUATIONS["S"], saying(e.RecordFiled, victim_id=None)) == "not-theirs-to-say"
    assert REFERRAL
