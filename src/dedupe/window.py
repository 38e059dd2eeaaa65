"""Reads and spells a window: the longest time that may lie between two documents of one story.

What it decides is left to `dedupe.spans`.
"""

import re
from datetime import timedelta

from dedupe.errors import InvalidSetting

__all__ = ["as_window", "spelled"]

UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
"""What a number may count, the longest first."""


def as_window(value: object) -> timedelta | None:
    """Return a window as a time, from one or from its spelling; None stays None.

    Raises
    ------
    InvalidSetting
        When it is neither, or not longer than nothing.

    Examples
    --------
    >>> as_window("36h"), as_window(timedelta(days=3))
    (datetime.timedelta(days=1, seconds=43200), datetime.timedelta(days=3))
    """
    if value is None:
        return None
    found = value
    if isinstance(value, str) and (read := re.fullmatch(r"\s*(\d{1,9})([wdhms])\s*", value, re.A)):
        try:
            found = int(read[1]) * UNITS[read[2]]
        except OverflowError:
            found = None
    if not isinstance(found, timedelta) or found <= timedelta():
        raise InvalidSetting(
            "window must be a positive number of minutes, hours, days or weeks such as 90m, 12h, "
            f"3d or 2w, or a positive timedelta, got {value!r}"
        )
    return found


def spelled(window: timedelta) -> str:
    """Return a window as it is written, or as Python writes it where that takes more than one unit.

    >>> spelled(timedelta(hours=48)), spelled(timedelta(minutes=90))
    ('2d', '90m')
    """
    for name, unit in UNITS.items():
        if not window % unit:
            return f"{window // unit}{name}"
    return str(window)
