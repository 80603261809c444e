"""The example journey of two victims, from detection to after-care, through the HTTP API alone.

``python -m deploy.journey.play`` plays it against running services; ``play`` does so for ``make run`` and the tests.
Everything in it is invented.
"""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy.client.agency_system import AgencySystem, CallRefused
from deploy.client.token_source import supervisor_of, token_sources
from deploy.issuer.command_line import SECRETS
from deploy.journey.check import verify
from deploy.journey.steps import Journey, JourneyBroken, Report, Result
from deploy.journey.story import tell
from deploy.local.console_output import LABELS, Progress, say
from shared.security.transport import ClientTls

FAULTS = (CallRefused, TimeoutError, JourneyBroken)
"""The exceptions with which a journey fails."""


async def play(
    urls: Mapping[str, str],
    auths: Mapping[str, httpx.Auth],
    report: Report,
    trouble: Report | None = None,
    tls: Mapping[str, ClientTls] | None = None,
) -> Result:
    """Play the journey against these services. ``urls``: member → URL; ``auths``: member → its system's tokens.
    Supervisors of agencies have tokens too. ``tls``: member → the certificate that its systems show.

    ``report`` is called after each step; ``trouble`` when a service cannot be reached, and the call is repeated.
    Raises CallRefused, TimeoutError or JourneyBroken.
    """
    began = time.monotonic()
    async with _systems(urls, auths, trouble, tls or {}) as systems:
        journey = Journey(systems, report)
        await tell(journey)
        await verify(journey)
        journey.result.seconds = time.monotonic() - began
        return journey.result


@asynccontextmanager
async def _systems(
    urls: Mapping[str, str], auths: Mapping[str, httpx.Auth], trouble: Report | None, tls: Mapping[str, ClientTls]
) -> AsyncIterator[dict[str, AgencySystem]]:
    def hears(code: str) -> Callable[[str], None]:
        said = "tidak menjawab, dicoba lagi", "does not answer, trying again"
        return lambda what: trouble(code, *(f"{text} ({what})" for text in said)) if trouble else None

    above = {supervisor_of(member): member for member in urls if supervisor_of(member) in auths}
    systems = {
        code: AgencySystem(code, urls[member], hears(member), auths[code], tls.get(member))
        for code, member in {**dict(zip(urls, urls, strict=True)), **above}.items()
    }
    try:
        yield systems
    finally:
        await asyncio.gather(*(system.close() for system in systems.values()))


def show_trouble(agency: str, indonesian: str, english: str) -> None:
    """Print that a service cannot be reached."""
    say(f"! {LABELS.get(agency, agency)} {indonesian}", english, "yellow")


@dataclass(frozen=True, slots=True)
class Options:
    """URLs of the services and the issuer, and the TLS files of the journey."""

    police: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8001"
    kemenpppa: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8002"
    kemensos: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8003"
    kemenkes: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8004"
    coordination: Annotated[str, typer.Option(help="URL of this service.")] = "http://127.0.0.1:8000"
    issuer: Annotated[str, typer.Option(help="URL of the issuer of tokens.")] = "http://127.0.0.1:8005"
    secrets: Annotated[Path, typer.Option(help="The folder with the systems' keys.")] = SECRETS
    ca: Annotated[Path | None, typer.Option(help="CA of the services' certificates, where they speak TLS.")] = None
    certificate: Annotated[Path | None, typer.Option(help="Certificate to show.")] = None
    key: Annotated[Path | None, typer.Option(help="Its key.")] = None

    def tls(self) -> ClientTls | None:
        """The certificate that the journey shows; None where the services speak without TLS."""
        if self.ca and self.certificate and self.key:
            return ClientTls(self.ca, self.certificate, self.key)
        return None

    def urls(self) -> dict[str, str]:
        """Member → URL."""
        return {
            "police": self.police,
            "kemenpppa": self.kemenpppa,
            "kemensos": self.kemensos,
            "kemenkes": self.kemenkes,
            "coordination": self.coordination,
        }


def _command(**given: Any) -> None:
    """Play the example journey of two victims, all of it invented, against running services."""
    options = Options(**given)
    tls, urls = options.tls(), options.urls()
    try:
        own = dict.fromkeys(urls, tls) if tls else None
        result = asyncio.run(play(urls, token_sources(options.issuer, options.secrets), Progress(), show_trouble, own))
    except FAULTS as error:
        say(f"✗ Perjalanan gagal: {error}", "the journey failed", "bold red")
        raise typer.Exit(1) from None
    for victim in result.victims:
        say(f"  {options.coordination}/journeys/{victim}", "a journey")


# typer reads the options of a command from its signature
_command.__signature__ = inspect.signature(Options)  # type: ignore[attr-defined]


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
