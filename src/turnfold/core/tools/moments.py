"""Times as people write them, from milliseconds since 1970, in UTC; by arithmetic alone."""

from __future__ import annotations

DAY_MS = 86_400_000
TO_MARCH_0 = 719_468  # days from 0000-03-01, with which a year begins here, so that a leap day is its last
ERA = 146_097  # days of 400 years


def day(at_ms: int) -> str:
    """The date of a time.

    >>> day(1_700_000_000_000), day(0)
    ('2023-11-14', '1970-01-01')
    """
    era, of_era = divmod(at_ms // DAY_MS + TO_MARCH_0, ERA)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    months = (5 * of_year + 2) // 153
    month = months + 3 if months < 10 else months - 9
    return f"{year + era * 400 + (month <= 2):04d}-{month:02d}-{of_year - (153 * months + 2) // 5 + 1:02d}"
