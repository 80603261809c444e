"""Benchmarks: hand-overs per second, their latency, and the part that the engine itself costs."""
