"""Ids of our own are UUIDv7 of RFC 9562, and none tells the next one."""

import itertools
import re
import time

from shared.contracts.types import UUID7
from shared.reference.office import new_id

MANY = 20_000


def test_an_id_has_the_millisecond_and_random_bits_that_do_not_count_up() -> None:
    """Libraries count up within a millisecond, as the RFC allows: each id then tells the next ones."""
    before = time.time_ns() // 1_000_000
    ids = [new_id() for _ in range(MANY)]
    after = time.time_ns() // 1_000_000
    assert all(re.fullmatch(UUID7, one) for one in ids) and len(set(ids)) == MANY
    numbers = [int(one.replace("-", ""), 16) for one in ids]
    assert all(before <= number >> 80 <= after for number in numbers)
    together = [(one, two) for one, two in itertools.pairwise(numbers) if one >> 80 == two >> 80]
    rising = sum(one < two for one, two in together)
    assert len(together) > MANY / 4 and 0.4 < rising / len(together) < 0.6
    for bit in (*range(62), *range(64, 76)):
        ones = sum(number >> bit & 1 for number in numbers)
        assert 0.45 < ones / MANY < 0.55, bit
