"""Output of the commands of ``deploy``: Indonesian first, English beside it."""

import time

from rich.console import Console
from rich.markup import escape

console = Console(highlight=False, soft_wrap=True)

LABELS = {
    "police": "Polri",
    "kemenpppa": "KemenPPPA",
    "kemensos": "Kemensos",
    "kemenkes": "Kemenkes",
    "coordination": "Koordinasi",
}
COLOURS = {
    "police": "blue",
    "kemenpppa": "magenta",
    "kemensos": "green",
    "kemenkes": "red",
    "coordination": "yellow",
}


def say(indonesian: str, english: str, style: str = "") -> None:
    """Print one line in both languages. ``style`` is a style of rich."""
    console.print(f"[{style or 'default'}]{escape(indonesian)}[/] [dim]· {escape(english)}[/]")


class Progress:
    """Prints each step of a journey when it is done, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, agency: str, indonesian: str, english: str) -> None:
        """Print that a member has done a step."""
        spent = time.monotonic() - self._began
        label, colour = LABELS.get(agency, agency), COLOURS.get(agency, "default")
        console.print(
            f"[green]✓[/] [dim]{spent:5.1f} s[/]  [{colour}]{label:<10}[/]  {escape(indonesian)}  "
            f"[dim]· {escape(english)}[/]"
        )
