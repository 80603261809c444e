"""The language of docstrings (CONTRIBUTING.md, Language): short sentences, and nouns in place of riddles."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import ROOT, parsed

FOLDERS = ("shared", "services", "deploy", "tests")
MOST_WORDS = 20
RIDDLE = re.compile(r"\b(whoever|of\s+whom|so\s+long)\b", re.IGNORECASE)
BREAK = re.compile(r"\n\s*\n|\n(?=[-*] )")
"""Between two paragraphs, or before an item of a list."""
APART = re.compile(r"^(?: {4,}| *\|).*|.*\S {3,}\S.*", re.MULTILINE)
"""A line of a table or of an example. Such a line is no sentence."""
END = re.compile(r"(?<=[.!?])[\"')`]*\s+(?=[A-Z`\"'(*])")
WORD = re.compile(r"[^\W\d_]")


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring: of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, inspect.cleandoc(node.value.value)


def sentences(text: str) -> list[str]:
    """The sentences of a docstring, each in one line."""
    paragraphs = BREAK.split(APART.sub("\n\n", text))
    return [sentence for paragraph in paragraphs for sentence in END.split(" ".join(paragraph.split()))]


def words(sentence: str) -> int:
    """The number of words. A number, a sign or an address is no word."""
    return sum(bool(WORD.search(word)) and "://" not in word for word in sentence.split())


def faults_of(text: str) -> list[str]:
    """Each long sentence of a docstring, and each riddle."""
    return [said for said in sentences(text) if words(said) > MOST_WORDS] + [r[0] for r in RIDDLE.finditer(text)]


def faults(tree: ast.Module) -> list[str]:
    """Line and text of each fault."""
    return [f"{line}: {fault}" for line, text in docstrings(tree) for fault in faults_of(text)]


def is_suspect(source: str) -> bool:
    """Whether a text between triple quotes has a fault. Only such a file is parsed: to parse all takes two seconds."""
    quoted = source.split('"""')
    return len(quoted) % 2 == 0 or any(faults_of(inspect.cleandoc(text)) for text in quoted[1::2])


def suspects() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if is_suspect(path.read_text(encoding="utf-8")):
                yield path


def test_docstrings_have_short_sentences_and_no_riddles() -> None:
    assert {str(path.relative_to(ROOT)): found for path in suspects() if (found := faults(parsed(path)))} == {}


TWENTY = "word " * (MOST_WORDS - 1) + "end"
BREACHES = f'''
"""{TWENTY}. {TWENTY.title()}.

- {TWENTY}
- {TWENTY} 24/7 https://estafet.example

FOLDER/key      {TWENTY}
                {TWENTY}
"""
limit = 1
"""One more {TWENTY}."""


class Desk:
    """Short. {TWENTY.title()}, and
    more."""

    def asks(self):
        """Whoever asks waits so
        long, but no longer than so longed for."""
        return "{TWENTY} whoever {TWENTY}"  # a value is no docstring
'''


def test_a_breach_would_be_found() -> None:
    assert is_suspect(BREACHES) and not is_suspect('"""Short."""')
    assert faults(ast.parse(BREACHES)) == [
        f"11: One more {TWENTY}.",
        f"15: {TWENTY.title()}, and more.",
        "19: Whoever",
        "19: so\nlong",
    ]
