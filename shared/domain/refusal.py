"""What a rule says when it says no."""


class Refused(Exception):
    """A rule forbids what was asked. ``problem`` is a code of the problem catalogue, ``facts`` fill its text.

    Facts are codes and ids only, never anything about a person.
    """

    def __init__(self, problem: str, field: str | None = None, **facts: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.facts = facts
