"""Says how records are read: which fields are asked for, and how a table is divided.

Which fields a name means is left to `dedupe.documents.fields`.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Self

from dedupe.documents.fields import text_names
from dedupe.documents.streams import MAX_BYTES
from dedupe.errors import InvalidSetting

__all__ = ["ID_FIELD", "OPTIONS", "Options", "Tapped"]

ID_FIELD = "id"
"""Where a record has its id, unless another field is named, which then must be there."""


@dataclass(frozen=True, slots=True)
class Options:
    """How records are read; the parameters of `read_paths`."""

    id_field: str = ID_FIELD
    text_field: str = "text"
    html_field: str | None = None
    time_field: str | None = None
    time_from: str | None = None
    delimiter: str | None = None
    max_bytes: int = MAX_BYTES
    qualify_ids: bool = False

    def __post_init__(self) -> None:
        for name in ("id_field", "text_field"):
            if not isinstance(getattr(self, name), str):
                raise InvalidSetting(f"{name} must be a string, got {getattr(self, name)!r}")
        if self.time_from not in (None, "mtime"):
            raise InvalidSetting(f"time_from must be 'mtime' or None, got {self.time_from!r}")
        for name in ("time_field", "html_field"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise InvalidSetting(f"{name} must be a string or None, got {value!r}")
        if not self.text_field.strip(", "):
            raise InvalidSetting(f"text_field must name a field, got {self.text_field!r}")
        limit: object = self.max_bytes
        if not isinstance(limit, Integral) or int(limit) < 1:
            raise InvalidSetting(f"max_bytes must be at least 1, got {self.max_bytes!r}")
        if self.delimiter is not None and not _is_delimiter(self.delimiter):
            raise InvalidSetting(
                "delimiter must be one character, and no quote, space or end of a line, "
                f"got {self.delimiter!r}: leave it out to have it recognised"
            )

    def text_names(self, there: Container[str]) -> tuple[str, ...]:
        """Return the names of the fields that make the text of a record with these fields."""
        return text_names(self.text_field, self.html_field, there)

    def asked_twice(self, there: Sequence[str]) -> str | None:
        """Return a field that is asked for, and that a table with these columns has twice.

        >>> Options().asked_twice(["id", "text", "note", "text"])
        'text'
        """
        asked = (*self.text_names(there), self.id_field, self.time_field)
        return next((name for name in asked if there.count(name) > 1), None)


@dataclass(frozen=True, slots=True)
class Tapped(Options):
    """Options that show each record as a whole, just before it is made a document."""

    tap: Callable[[Mapping[str, object]], object] | None = None

    @classmethod
    def of(cls, options: Options, tap: Callable[[Mapping[str, object]], object]) -> Self:
        """Return the same options with somebody who is shown."""
        return cls(**{one.name: getattr(options, one.name) for one in fields(Options)}, tap=tap)


OPTIONS = tuple(one.name for one in fields(Options) if one.name != "max_bytes")
"""Those of them that a caller of the library and of the command line can choose."""


def _is_delimiter(value: object) -> bool:
    """Return whether a value can stand between the cells of a row."""
    return isinstance(value, str) and len(value) == 1 and value not in '"\r\n \0'
