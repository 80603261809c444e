"""Logs: their set-up, the allowed fields of a line, the trace id, and the lines about acts of callers."""
