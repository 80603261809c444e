"""The declarations of the agencies, checked from outside: clocks rest on a law, forms are in Indonesian, receivers
exist.

A fifth agency, KP2MI for migrant workers, joins by one declaration: no line of ``shared`` knows it.
"""

import importlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.credentials.secrets import make_secrets
from deploy.credentials.secrets import network as network_of
from deploy.local.embedded_nats import EmbeddedNats
from services.members import SERVICES
from shared.agency.member import agency_member
from shared.contracts.codes import IdentityField, Kind, Stage
from shared.contracts.subjects import addressed_to
from shared.domain.agency import Agency, Route, Service
from shared.domain.clocks import Trigger
from shared.domain.forms import Choice, Day, Form, FormField, FormSubject, Place, Words, check_forms
from shared.domain.text import Text
from shared.reference.clock_table import load_clocks
from shared.reference.directory import load_directory, write_directory
from shared.reference.units import load_units
from shared.service.settings import ROOT
from tests.support.databases import SqliteDatabases
from tests.support.network import SHIPPED, Client, Network, problem, provisioning, refer

AGENCIES: list[Agency] = [importlib.import_module(module).MEMBER.agency for module in SERVICES.values()]
WORKING = [agency for agency in AGENCIES if agency.services]
FORMS = [(agency, form) for agency in AGENCIES for form in agency.forms]
CLOCKS = load_clocks([ROOT / "services" / "clocks.json"])
DIRECTORY = load_directory(ROOT / "services" / "directory.json")
UNITS = load_units(ROOT / "services" / "units.csv")
each_agency = pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.code)
each_form = pytest.mark.parametrize(("agency", "form"), FORMS, ids=lambda one: one.code)


def test_the_published_directory_is_what_the_agencies_declare() -> None:
    published = (ROOT / "services" / "directory.json").read_text(encoding="utf-8")
    assert published == write_directory(WORKING), "python -m deploy.local.directory, if it was meant"


@each_agency
def test_every_clock_that_is_named_rests_on_a_law_or_a_standard(agency: Agency) -> None:
    named = {service.clock for service in agency.services} | set(agency.duties)
    assert named <= CLOCKS.by_code.keys()
    assert all(CLOCKS.by_code[code].basis for code in named)
    # a service names a clock that its request starts; a duty one that starts by itself
    assert not any(CLOCKS.by_code[service.clock].by_itself for service in agency.services)
    assert all(CLOCKS.by_code[duty].by_itself for duty in agency.duties)


@each_agency
def test_every_receiver_exists_offers_the_service_and_has_a_desk_for_every_region(agency: Agency) -> None:
    for route in agency.routes:
        assert (route.agency, route.service) in DIRECTORY.services and route.kinds
        assert all((route.agency, region) in UNITS.chains for region in UNITS.regions)


def triggers() -> Iterator[tuple[str, Trigger]]:
    for clock in CLOCKS.by_code.values():
        yield from ((clock.code, trigger) for trigger in (*clock.starts, *clock.stops))


@pytest.mark.parametrize(("code", "trigger"), list(triggers()), ids=lambda one: getattr(one, "event", one))
def test_what_starts_or_stops_a_clock_can_happen(code: str, trigger: Trigger) -> None:
    """A form or a service that is misspelt in the table would start nothing, in silence."""
    services = {service for _, service in DIRECTORY.services}
    assert trigger.where.get("service", frozenset()) <= services
    forms = {form.code: form for _, form in FORMS}
    named = trigger.where.get("form", frozenset())
    assert named <= forms.keys()
    if trigger.event == "record.filed":
        assert named
    for form in (forms[name] for name in named):
        clear = {field.code for field in form.fields if field.clear}
        assert trigger.where.keys() - {"form"} <= clear, "a clock cannot read what is sealed"


@each_form
def test_a_form_is_in_indonesian_first_and_says_who_asks_for_it(agency: Agency, form: Form) -> None:
    check_forms(agency.forms)
    labels = [form.label, *(field.label for field in form.fields)]
    labels += [text for field in form.fields if isinstance(field.kind, Choice) for text in field.kind.options.values()]
    assert all(label.id.strip() and label.en.strip() for label in labels)
    assert form.basis and form.fields


# --- a fifth agency ---------------------------------------------------------------------------------------------------

ARRIVALS = Form(
    code="arrival",
    label=Text("Kedatangan", "Arrival"),
    about=FormSubject.VICTIM,
    basis="UU 18/2017 Ps 24",
    fields=(
        FormField("arrived_on", Text("Tanggal tiba", "Day of arrival"), Day(), clear=True),
        FormField("from_region", Text("Dari", "From"), Place(), clear=True),
        FormField("papers", Text("Dokumen", "Papers"), Words(200), required=False),
    ),
)
KP2MI = Agency(
    code="kp2mi",
    label=Text("Kementerian Pelindungan Pekerja Migran Indonesia", "Ministry of Migrant Workers' Protection"),
    subsatgas="prevention",
    coordinator="coordination",
    channels={"arrival": Text("Kedatangan di pelabuhan", "arrival at a port")},
    services=(
        Service(
            "reception-of-returnees",
            Text("Penerimaan pekerja migran yang pulang", "Reception of returning migrant workers"),
            Stage.REPATRIATION,
            "rehabilitation-service",
            needs=frozenset({IdentityField.NAME}),
        ),
    ),
    routes=(Route("kemensos", "shelter-and-rehabilitation", frozenset(Kind)),),
    forms=(ARRIVALS,),
)
ROWS = """\
kp2mi,province,province,bp3mi-{code},BP3MI {name},{name} migrant workers' office,2025-01-01,,The test
kp2mi,national,nation,kp2mi-pusat,Direktorat Jenderal Pelindungan,Directorate General of Protection,2025-01-01,,The test
"""
NUNUKAN = "65.03"


@pytest.fixture
async def five(tmp_path: Path) -> AsyncIterator[Network]:
    """The shipped network, and KP2MI."""
    units, directory = tmp_path / "units.csv", tmp_path / "directory.json"
    units.write_text((ROOT / "services" / "units.csv").read_text(encoding="utf-8") + ROWS, encoding="utf-8")
    directory.write_text(write_directory([*WORKING, KP2MI]), encoding="utf-8")
    members = {**SHIPPED, KP2MI.code: agency_member(KP2MI)}
    secrets = tmp_path / "secrets"
    make_secrets(secrets, network_of(members))
    readers = {code: addressed_to(code) for code in members if code != "coordination"}
    readers["coordination"] = [f"tppo.{code}.>" for code in members if code != "coordination"]
    with EmbeddedNats(tmp_path / "nats", secrets) as nats:
        async with provisioning(nats, readers):
            network = Network(
                tmp_path,
                secrets,
                nats,
                SqliteDatabases(tmp_path),
                members=members,
                extra={"units_file": units, "directory_file": directory},
            )
            yield network
            await network.stop_all()


async def a_returnee(kp2mi: Client) -> str:
    """A person who has come back through Nunukan."""
    opened = {"unit": "bp3mi-65", "channel": "arrival", "exploitation": "forced-labour", "destination": "MY"}
    case = await kp2mi.post("/v1/cases", opened)
    assert case.status_code == 201, case.text
    person = {"age_class": "adult", "sex": "male", "identity": {"name": "Contoh Rekaan"}}
    made = await kp2mi.post(f"/v1/cases/{case.json()['id']}/victims", person)
    return str(made.json()["id"])


async def test_a_fifth_agency_joins_by_one_declaration(five: Network) -> None:
    kp2mi, kemensos = await five.start("kp2mi"), await five.start("kemensos")
    coordination = await five.start("coordination")
    victim = await a_returnee(kp2mi)
    arrival = {"arrived_on": "2026-01-31", "from_region": "00.MY", "papers": "Surat rekaan."}
    filed = await kp2mi.post(f"/v1/victims/{victim}/forms/arrival", arrival)
    assert filed.status_code == 201, filed.text
    assert problem(await kp2mi.post(f"/v1/victims/{victim}/forms/arrival", {**arrival, "from_region": "99.99"})) == (
        "unknown-region"
    )
    handed = await refer(
        kp2mi, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer",
        receiver={"agency": "kemensos", "region": NUNUKAN},
    )  # fmt: skip
    arrived = await kemensos.until_status(handed, "received")
    assert arrived["receiver"]["unit"] == f"dinsos-{NUNUKAN}"
    await kemensos.must(handed, "accept")
    await kp2mi.until_status(handed, "accepted")
    seen = await coordination.until(
        f"/v1/journeys/{victim}",
        lambda journey: [c["agency"] for c in journey["custody_chain"]] == ["kp2mi", "kemensos"],
    )
    assert "id.tppo.record.filed.v1" in [event["type"] for event in seen["events"]]
    assert [clock["peer"] for clock in (await kp2mi.get("/v1/clocks"))["items"]] == ["kemensos"]
