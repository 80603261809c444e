"""``make run`` starts broker, provisioner, issuer of tokens and the five services on this machine, and plays a journey.

One folder holds everything: secrets, databases, messages, logs, and ``state.json`` with each service's address and
process id. A process that dies is restarted; Ctrl-C stops everything.
"""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from deploy.client.token import make_token
from deploy.journey import play as journey
from deploy.local.console_output import LABELS, Progress, console, say
from deploy.local.stack import ORDER, CannotRun, Stack, sole_user
from deploy.local.supervisor import cancelled
from services.coordination.sign_in import VISIT_SECONDS

FOLDER = Path(".run")
PORT = 8000
SIGN_IN_MINUTES = VISIT_SECONDS // 60
"""Validity of the console's token that is printed at the start: the longest that the console accepts."""
INTERRUPTED = 130
"""Exit code of a run that a signal stopped before its own end."""


async def _run(stack: Stack, began: float, play: bool, stay: bool) -> None:
    say(f"Estafet dinyalakan di {stack.folder} …", f"starting in {stack.folder}")
    await stack.start()
    spent = f"{time.monotonic() - began:.1f} s"
    say(f"✓ Lima layanan siap dalam {spent}", f"five services ready in {spent}", "green")
    victims: list[str] = []
    if play:
        console.print()
        progress = Progress()
        try:
            result = await journey.play(stack.urls, stack.auths(), progress, journey.show_trouble)
        except journey.FAULTS as error:
            raise CannotRun(f"{type(error).__name__}: {error}") from error
        victims = result.victims
        say(
            f"✓ Perjalanan selesai dalam {result.seconds:.1f} s",
            f"journey complete in {result.seconds:.1f} s",
            "bold green",
        )
    _where_to_look(stack, victims)
    if stay:
        _how_to_sign_in(stack)
        say("Ctrl-C menghentikan semuanya.", "Ctrl-C stops everything.", "bold")
        await asyncio.Event().wait()


def _where_to_look(stack: Stack, victims: list[str]) -> None:
    home = stack.urls["coordination"]
    console.print()
    say(f"  Konsol      {home}/", "the console")
    for number, victim in enumerate(victims, 1):
        say(f"  Korban {number}    {home}/journeys/{victim}", "a journey")
    for name in ORDER:
        say(f"  {LABELS[name]:<11} {stack.urls[name]}/docs", "API")
    say(f"  Penerbit    {stack.issuer_url}/.well-known/oauth-authorization-server", "issuer of tokens, for development")
    say(f"  NATS        {stack.nats.url}", f"user seed: {stack.folder}/secrets/province-74/nats.seed")
    say(f"  Log         {stack.folder}/logs/", "logs")
    console.print()


def _how_to_sign_in(stack: Stack) -> None:
    secrets = stack.folder / "secrets"
    elsewhere = "" if stack.folder == FOLDER.resolve() else f" --folder {secrets}"
    say(f'  TOKEN=$(make token ARGS="police{elsewhere}")', "an access token for the API of the police, for ten minutes")
    token = make_token(secrets, "coordination", minutes=SIGN_IN_MINUTES)
    say(f"  Masuk ke konsol di {stack.urls['coordination']}/masuk dengan:", "sign in to the console there with")
    console.print(token, markup=False)
    console.print()


ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a run."""


async def until_told(make_stack: Callable[[], Stack], what: Callable[[Stack], Awaitable[None]]) -> bool:
    """Run ``what`` on a stack until it is done or a signal comes, then stop everything. Returns whether it was done.

    A second signal kills the children at once. After the stop, signals are ignored: a late signal must not change the
    exit code. Raises what ``what`` raises.
    """
    told, hurry, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        (hurry if told.is_set() else told).set()

    for number in ENDINGS:  # not with the loop's handlers: the loop restores the defaults when it closes
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(on_signal))
    stack = make_stack()
    work = asyncio.ensure_future(what(stack))
    telling = asyncio.create_task(told.wait())
    await asyncio.wait({work, telling}, return_when=asyncio.FIRST_COMPLETED)
    if told.is_set():
        say("\nMenghentikan semuanya …", "stopping everything")
    told.set()
    done = work.done()
    await cancelled(work, telling)
    await stack.close(hurry)
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    say("Semua sudah berhenti.", "everything has stopped")
    if work.done() and not work.cancelled():
        work.result()
    return done


def _command(
    folder: Annotated[Path, typer.Option(help="Folder of secrets, databases and logs.")] = FOLDER,
    port: Annotated[int, typer.Option(help="Port of coordination; agencies and issuer take the next five.")] = PORT,
    play: Annotated[bool, typer.Option("--journey/--no-journey", help="Play the journey.")] = True,
    exit_after_journey: Annotated[bool, typer.Option(help="Stop as soon as the journey is complete.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh/--keep", help="Delete the data of earlier runs.")] = False,
) -> None:
    """Start Estafet on this machine, play a journey through it, and run until Ctrl-C."""
    began = time.monotonic() - time.process_time()  # includes the time of imports
    os.umask(0o077)  # databases and logs are for this user alone, also those of the processes below
    folder = folder.resolve()
    try:
        if fresh:
            _throw_away(folder)
        stay = not exit_after_journey
        done = asyncio.run(until_told(lambda: Stack(folder, port), lambda stack: _run(stack, began, play, stay)))
        code = 0 if done or stay else INTERRUPTED
    except CannotRun as error:
        console.print(f"✗ {error}", style="bold red", markup=False)
        code = 1
    raise typer.Exit(code)


def _throw_away(folder: Path) -> None:
    with sole_user(folder):
        for name in ("databases", "nats", "logs", "secrets"):
            shutil.rmtree(folder / name, ignore_errors=True)


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
