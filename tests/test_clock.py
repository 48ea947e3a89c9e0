"""Times as people read them."""

import pytest

from monitor.clock import rfc3339_or_none


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_040_000, "2023-11-14T22:14:00Z"),
        (1_700_000_040_001, "2023-11-14T22:14:00.001Z"),
        (10**18, None),
        (-(10**18), None),
    ],
)
def test_a_time_is_shown_or_it_is_none(ms: int | None, shown: str | None) -> None:
    assert rfc3339_or_none(ms) == shown
