"""A regular expression together with the words that explain it to a person."""


class Pattern(str):
    """A regular expression that a text must match, usable wherever the expression is.

    ``words`` and ``words_en`` say in Indonesian and in English which text is expected: "Harus berupa …", "It must
    be …". They name an example after "seperti" and "such as".
    """

    words: str
    words_en: str

    def __new__(cls, regex: str, words: str, words_en: str) -> "Pattern":
        """A pattern from its regular expression and its words, in Indonesian and in English."""
        made = super().__new__(cls, regex)
        made.words, made.words_en = words, words_en
        return made

    def __getnewargs__(self) -> tuple[str, str, str]:  # type: ignore[override]
        """The arguments for a copy: pydantic copies schemas, and the patterns in them."""
        return str(self), self.words, self.words_en
