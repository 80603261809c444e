"""The exception with which a rule refuses a request."""


class Refused(Exception):
    """A rule refuses a request. ``problem`` is a code of the problem catalogue; ``facts`` fill its text.

    ``field`` is the request field at fault, if there is one. Facts are codes and ids only, never data of a person.
    """

    def __init__(self, problem: str, field: str | None = None, **facts: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.facts = facts
