"""The garbage collector of a process of tests."""

import gc


def collect_seldom() -> None:
    """Let the collector pass over what was imported, and come seldom: it took a quarter of the CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
