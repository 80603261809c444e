"""The largest size of a piece of code: a reader takes it in at once, and reviews it without scrolling."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from tests.support.sources import ROOT

CODE = ("shared", "services", "deploy")
MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 40
MOST_PARAMETERS = 7
LARGEST_ROOM = 0.20
"""The largest part of all lines of code that may lie in one room."""
REASON = "Long because: "
"""A file that is long on purpose has a line that begins so, among its first lines."""
FIRST_LINES = 15

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def has_reason(text: str) -> bool:
    """Whether a comment or docstring line at the head of a file gives the reason for its length."""
    lines = [line.strip().removeprefix("#").strip().strip('"') for line in text.splitlines()[:FIRST_LINES]]
    return any(line.startswith(REASON) and line.removeprefix(REASON).strip() for line in lines)


def too_long(text: str) -> bool:
    return len(text.splitlines()) > MOST_LINES_OF_A_FILE and not has_reason(text)


@cache
def functions(text: str) -> tuple[Function, ...]:
    """Every function and method, also those inside another."""
    return tuple(node for node in ast.walk(ast.parse(text)) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """From ``def`` to the last line; decorators do not count."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters_of(function: Function) -> list[str]:
    """The names of the parameters, ``*args`` and ``**kwargs`` too, without the object of a method."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in named if one is not None and one.arg not in ("self", "cls")]


def long_functions(text: str) -> dict[str, int]:
    return {f.name: lines for f in functions(text) if (lines := lines_of(f)) > MOST_LINES_OF_A_FUNCTION}


def wide_functions(text: str) -> dict[str, list[str]]:
    return {f.name: names for f in functions(text) if len(names := parameters_of(f)) > MOST_PARAMETERS}


def room_of(name: str) -> str:
    """A direct child of ``shared``, ``services`` or ``deploy``."""
    return "/".join(name.split("/")[:2])


def large_rooms(lines: dict[str, int]) -> dict[str, str]:
    """The rooms that hold too much, from the lines of each file: room → its part."""
    rooms: Counter[str] = Counter()
    for name, count in lines.items():
        rooms[room_of(name)] += count
    whole = sum(rooms.values())
    return {room: f"{count / whole:.1%}" for room, count in rooms.items() if count / whole > LARGEST_ROOM}


def test_no_file_is_over_300_lines_without_a_reason_beside_it() -> None:
    assert len(files(*CODE)) > 200
    assert {name_of(p): len(text_of(p).splitlines()) for p in files(*CODE) if too_long(text_of(p))} == {}


def test_no_file_gives_a_reason_that_it_does_not_need() -> None:
    short = [p for p in files(*CODE) if len(text_of(p).splitlines()) <= MOST_LINES_OF_A_FILE]
    assert [name_of(path) for path in short if has_reason(text_of(path))] == []


def test_no_function_is_over_40_lines() -> None:
    """A story in tests/e2e stays whole: its steps are told in order."""
    stories = set(files("tests/e2e/stories"))
    paths = [path for path in files(*CODE, "tests") if path not in stories]
    assert {name_of(path): found for path in paths if (found := long_functions(text_of(path)))} == {}


def test_no_function_has_more_than_7_parameters() -> None:
    assert {name_of(p): found for p in files(*CODE) if (found := wide_functions(text_of(p)))} == {}


def test_no_room_holds_more_than_a_fifth_of_the_code() -> None:
    assert large_rooms({name_of(path): len(text_of(path).splitlines()) for path in files(*CODE)}) == {}


PASS = "        pass\n"
BREACHES = f"""
@decorated(
    "and a decorator does not count",
)
def just_short():
{PASS * (MOST_LINES_OF_A_FUNCTION - 1)}
def outer():
    async def just_long():
{PASS * MOST_LINES_OF_A_FUNCTION}
class Some:
    def seven(self, a, b, /, c, d, *args, e, **kwargs): ...
    @classmethod
    def eight(cls, a, b, /, c, d, *args, e, f, **kwargs): ...
"""


def test_a_breach_of_these_rules_would_be_found() -> None:
    found = long_functions(BREACHES)
    assert found == {"just_long": MOST_LINES_OF_A_FUNCTION + 1, "outer": MOST_LINES_OF_A_FUNCTION + 2}
    assert wide_functions(BREACHES) == {"eight": ["a", "b", "c", "d", "e", "f", "args", "kwargs"]}
    assert large_rooms({"shared/a/b/c.py": 15, "shared/a/d.py": 6, "deploy/e.py": 20, "services/f/g.py": 59}) == {
        "shared/a": "21.0%",
        "services/f": "59.0%",
    }


def test_a_long_file_needs_a_reason_at_its_head() -> None:
    line = "x = 1\n"
    assert too_long(line * (MOST_LINES_OF_A_FILE + 1)) and not too_long(line * MOST_LINES_OF_A_FILE)
    body = line * MOST_LINES_OF_A_FILE
    for head in (f"# {REASON}it is one list.\n", f'"""A list.\n\n{REASON}it is one list.\n"""\n'):
        assert not too_long(head + body)
    for head in (
        f"# {REASON}\n",
        line * FIRST_LINES + f"# {REASON}it is one list.\n",
        "# Long because it is one list.\n",
    ):
        assert too_long(head + body)
