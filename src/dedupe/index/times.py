"""Reads when a document came up, and before when it is to go."""

import time
from typing import Any

from dedupe.ages import RULE, as_age
from dedupe.documents.values import as_time
from dedupe.errors import InvalidSetting

__all__ = ["as_moment", "as_seconds"]

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
        When it is neither.
    """
    age = as_age(value)
    seconds = as_time(value) if age is None else time.time() - age.total_seconds()
    if seconds is None:
        raise InvalidSetting(f"{name} must be a time ({TIME}) or an age ({RULE}), got {value!r}")
    return seconds
