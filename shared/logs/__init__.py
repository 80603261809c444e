"""Logs: their set-up, the fields that a line may have, the trace id, and the lines about who did what."""
