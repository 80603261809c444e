"""The number of times that a victim has told their story, at any agency."""

from shared.contracts import events as e
from shared.service.slice import Slice
from shared.victims.interviews.receive import on_victim_interviewed

SLICE = Slice(
    receives={e.VictimInterviewed: on_victim_interviewed},
    forgets="An interview is an id, an agency and a moment; no word of it is here.",
)
