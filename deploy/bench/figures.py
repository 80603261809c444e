"""The figures of ``make bench``, and the table that shows them."""

import math
from collections.abc import Sequence

from rich import box
from rich.table import Table

from deploy.bench.load import LOADS, Measured

Pair = tuple[Measured, Measured]
"""The measurements of the network and of the floor under one load."""


def table_of(database: str, results: Sequence[Pair]) -> Table:
    """The figures of one database: hand-overs per second, and latencies in milliseconds."""
    table = Table(title=database, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("beban\n[dim]load[/]", no_wrap=True)
    table.add_column()
    asked, done, errors = "diminta\n[dim]asked[/]\n/s", "dicapai\n[dim]done[/]\n/s", "galat\n[dim]errors[/]"
    post, visible = "POST\n\n{} ms", "tampak\n[dim]visible[/]\n{} ms"
    for heading in (asked, done, *(wait.format(p) for wait in (post, visible) for p in ("p50", "p99")), errors):
        table.add_column(heading, justify="right", no_wrap=True)
    for load, (estafet, bare) in zip(LOADS, results, strict=True):
        rate, ours, theirs = str(load.rate or "–"), _figures(estafet), _figures(bare)
        ratios = [f"{_shown(a / b)}×" for a, b in zip(ours, theirs, strict=True) if not math.isnan(b)]
        table.add_row(load.indonesian, "Estafet", rate, *map(_shown, ours), str(estafet.errors.total()))
        table.add_row(load.english, "dasar/floor", rate, *map(_shown, theirs), str(bare.errors.total()))
        table.add_row("", "× dasar/floor", "", *ratios, style="bold", end_section=True)
    return table


def _figures(measured: Measured) -> list[float]:
    """Hand-overs per second; then p50 and p99 of POST and of 201→visible in milliseconds, NaN without a value."""
    waits = (measured.posted, measured.visible)
    return [measured.done / measured.seconds, *(percentile(wait, p) * 1000 for wait in waits for p in (0.5, 0.99))]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed (nearest rank). NaN without values."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else math.nan


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}" if value < 10 else f"{value:.0f}"
