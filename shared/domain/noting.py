"""When an act needs a note, and why. A note is free text, stored only at the agency that wrote it."""

from shared.domain.refusal import Refused
from shared.domain.text import Text

TOLD_LATE = Text(
    "kejadian ini dilaporkan lebih dari 24 jam setelah terjadi", "this is told more than 24 hours after it happened"
)
OTHER_REASON = Text("alasan `other` harus dijelaskan", "the reason `other` says nothing by itself")
THIS_OUTCOME = Text("hasil ini harus dijelaskan", "this outcome must be explained")
AGAINST_WITHDRAWAL = Text("korban telah mencabut persetujuannya", "the person has withdrawn consent")
DOUBTED_CUSTODY = Text(
    "tanggung jawab pengirim dibantah atau belum terbukti", "the sender's custody is contested or unconfirmed"
)


def says_something(note: str | None) -> bool:
    """Whether a note has a letter or a digit: spaces and signs give no reason."""
    return note is not None and any(one.isalnum() for one in note)


def require_note(note: str | None, because: Text) -> None:
    """Raise Refused("note-required") unless the note says something. ``because``: the reason that asks for one."""
    if not says_something(note):
        raise Refused("note-required", field="note", because=because)
