"""What the commands of ``deploy`` show to a person: Indonesian first, English beside it."""

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
    """One line in both languages."""
    console.print(f"[{style or 'default'}]{escape(indonesian)}[/] [dim]· {escape(english)}[/]")


class Progress:
    """Shows each step of a journey as it is done, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, agency: str, indonesian: str, english: str) -> None:
        """A step is done."""
        spent = time.monotonic() - self._began
        label, colour = LABELS.get(agency, agency), COLOURS.get(agency, "default")
        console.print(
            f"[green]✓[/] [dim]{spent:5.1f} s[/]  [{colour}]{label:<10}[/]  {escape(indonesian)}  "
            f"[dim]· {escape(english)}[/]"
        )
