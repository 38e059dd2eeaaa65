"""Reads when a document came up, and before when it is to go."""

import time
from datetime import datetime
from typing import Any

from dedupe.ages import RULE, as_age
from dedupe.documents.values import as_time
from dedupe.errors import InvalidSetting

__all__ = ["as_moment", "as_seconds", "check_unit"]

YEAR = 365 * 86_400
"""Seconds: a number below it that was written without a unit hardly is a time of 1970. It is a
year, or days whose unit was forgotten."""

TIME = "seconds since 1970, a date or ISO 8601 such as 2024-06-11"
"""What a time is, as messages have it."""


def as_seconds(name: str, value: Any) -> float | None:
    """Return a time in seconds since 1970; None stays None.

    Raises
    ------
    InvalidSetting
        When it is no time.
    """
    seconds = as_time(value)
    if seconds is None and value is not None:
        raise InvalidSetting(f"{name} must be {TIME}, got {value!r}")
    return seconds


def as_moment(name: str, value: Any) -> float:
    """Return a time, or the moment from which an age counts until now, in seconds since 1970.

    Raises
    ------
    InvalidSetting
        When it is neither, or was written as a number so small that no unit may have been meant.
    """
    age = as_age(value)
    seconds = as_time(value) if age is None else time.time() - age.total_seconds()
    if seconds is None:
        raise InvalidSetting(f"{name} must be a time ({TIME}) or an age ({RULE}), got {value!r}")
    if isinstance(value, str) and _is_bare(value):
        check_unit(name, value, seconds)
    return seconds


def check_unit(name: str, value: object, seconds: float) -> None:
    """Raise `InvalidSetting` where a number is so small that its unit may have been forgotten."""
    if abs(seconds) < YEAR:
        raise InvalidSetting(
            f"{name} must be a time ({TIME}) or an age ({RULE}), got {value!r}, which is "
            f"{seconds:g} seconds after 1970: write 90d for an age in days, 2024-01-01 for a year"
        )


def _is_bare(written: str) -> bool:
    """Return whether a time is written as a number; of 20240611, which is a day, it is not."""
    try:
        datetime.fromisoformat(written.strip())
    except ValueError:
        return True
    return False
