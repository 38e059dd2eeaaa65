"""Reads and spells ages: how long ago something came up, or how far apart two documents may be.

Wherever the library or a command takes one, it is written alike, as 90m, 12h, 3d or 2w. What
follows from a window is decided in `dedupe.spans`.
"""

import re
from datetime import timedelta

from dedupe.errors import InvalidSetting

__all__ = ["RULE", "as_age", "as_window", "spelled"]

UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
"""What a number may count, the longest first."""

RULE = (
    "a positive number of minutes, hours, days or weeks such as 90m, 12h, 3d or 2w, or a positive "
    "timedelta"
)
"""What an age is, as messages have it."""


def as_age(value: object) -> timedelta | None:
    """Return an age from a timedelta or from its spelling, None for what is neither.

    Nothing and less is no age, and neither is more than a timedelta can hold.

    Examples
    --------
    >>> as_age("36h"), as_age(timedelta(days=3))
    (datetime.timedelta(days=1, seconds=43200), datetime.timedelta(days=3))
    >>> as_age("2024-06-11"), as_age("0d")
    (None, None)
    """
    found = value
    if isinstance(value, str) and (read := re.fullmatch(r"\s*(\d{1,9})([wdhms])\s*", value, re.A)):
        try:
            found = int(read[1]) * UNITS[read[2]]
        except OverflowError:
            return None
    return found if isinstance(found, timedelta) and found > timedelta() else None


def as_window(value: object) -> timedelta | None:
    """Return the longest time that may lie between two documents of one story; None stays None.

    Raises
    ------
    InvalidSetting
        When it is no age.
    """
    if value is None:
        return None
    found = as_age(value)
    if found is None:
        raise InvalidSetting(f"window must be {RULE}, got {value!r}")
    return found


def spelled(age: timedelta) -> str:
    """Return an age as it is written, or as Python writes it where that takes more than one unit.

    >>> spelled(timedelta(hours=48)), spelled(timedelta(minutes=90))
    ('2d', '90m')
    """
    for name, unit in UNITS.items():
        if not age % unit:
            return f"{age // unit}{name}"
    return str(age)
