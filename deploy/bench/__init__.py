"""Measures: hand-overs a second, their latency, and what they cost."""
