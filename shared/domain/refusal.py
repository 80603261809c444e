"""The refusal of a request by a rule, and the texts of a refusal."""

from dataclasses import dataclass

from shared.domain.text import Text


class Refused(Exception):
    """A rule refuses a request. ``problem`` is a problem code of a slice; ``facts`` fill its text.

    ``field`` is the request field at fault, if there is one. Facts are codes, ids and texts of ours, never data of a
    person.
    """

    def __init__(self, problem: str, field: str | None = None, **facts: str | Text) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of problem: HTTP status, title, detail and remedy. ``detail`` may hold facts in braces."""

    status: int
    title: Text
    detail: Text
    remedy: Text


def refusal(status: int, *texts: str) -> Refusal:
    """A refusal from six texts: title, detail and remedy, each in Indonesian and then in English."""
    title, title_en, detail, detail_en, remedy, remedy_en = texts
    return Refusal(status, Text(title, title_en), Text(detail, detail_en), Text(remedy, remedy_en))
