"""What `dedupe.clean` is asked for, and which of it does not go together."""

import os
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from dedupe.cleaning.fitting import check_matches
from dedupe.cleaning.inventory import Inputs, base_of, take_stock
from dedupe.cleaning.journal import Action, Order
from dedupe.documents.boilerplate import digest_of_boilerplate, read_boilerplate
from dedupe.documents.options import OPTIONS, Options
from dedupe.documents.paths import STDIN, Paths, named, resolve
from dedupe.documents.walk import File, walk
from dedupe.errors import InvalidResult, InvalidSetting
from dedupe.ids import Id, order_of
from dedupe.index.folder import is_index
from dedupe.results.result import Result
from dedupe.results.saved import settings_as_json
from dedupe.settings import Settings

__all__ = ["Extras", "Request", "absolute", "action_of", "check_names", "without_stdin"]

SETTINGS = frozenset(field.name for field in fields(Settings)) - {"boilerplate"}
"""The settings of a search that decide, as they are given; others say how it goes about its
work, and what is known to be boilerplate is given as paths."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be cleaned, and by which result."""

    paths: list[str]
    against: list[str] | None
    options: Options
    result: Result | None
    search: dict[str, Any]

    @classmethod
    def of(
        cls,
        paths: Paths,
        against: Paths | None,
        boilerplate: Paths | None,
        *,
        options: Options,
        result: Result | None,
        search: dict[str, Any],
    ) -> Self:
        """Return the request that the arguments of `dedupe.clean` make, or refuse them."""
        names = named(paths)
        old = None if against is None else without_stdin("against", against)
        if boilerplate is not None:
            search = search | {"boilerplate": without_stdin("boilerplate", boilerplate)}
        if result is not None and not isinstance(result, Result):
            raise InvalidSetting(
                f"result must be a Result, got {result!r}: load a saved one with Result.from_json"
            )
        return cls(names, old, options, result, search)

    @property
    def folders(self) -> list[str]:
        """The folders of what is cleaned and of the old collection, which one run at a time has."""
        return [base_of(some) for some in (self.paths, self.against) if some is not None]

    def order(self, action: Action, folder: str) -> Order:
        """Return what is to be done to files, in a form that can be compared."""
        read, old = (
            tuple(sorted(map(absolute, names))) for names in (self.paths, self.against or ())
        )
        return Order(action, folder, read, old, self._settings())

    def _settings(self) -> dict[str, Any]:
        """Return what decides, as JSON has it."""
        if self.result is None:
            given = {name: self.search[name] for name in self.search.keys() & SETTINGS}
            settings = Settings(**given, boilerplate=self._boilerplate())
        else:
            settings = self.result.settings
        said = settings_as_json(settings) | asdict(self.options)
        # Values in a journal are plain.
        return said | {"prefer": ", ".join(settings.prefer)}

    def _boilerplate(self) -> str:
        """Return the digest of what is known to be boilerplate."""
        names = [one for one in OPTIONS if one not in {"time_field", "time_from", "qualify_ids"}]
        fields = {name: getattr(self.options, name) for name in names}
        return digest_of_boilerplate(read_boilerplate(self.search.get("boilerplate"), **fields))

    def also_read(self) -> frozenset[tuple[int, int | str]]:
        """Return device and number of the files that hold boilerplate."""
        names = resolve(self.search.get("boilerplate") or [])
        return frozenset(found.key for found in walk(names) if isinstance(found, File))

    def take_stock(self, *, gone: bool = False) -> Inputs:
        """Look at every file; pass over those that are gone, if some may be."""
        return take_stock(self.paths, self.against, self.options, gone=gone)

    def find(self, inputs: Inputs) -> tuple[Result, frozenset[Id]]:
        """Return the result that was given, if it is of these files, or search.

        Also return the ids of what has changed since, where it was given.
        """
        if self.result is None:
            from dedupe.api import find_duplicates  # noqa: PLC0415  Not for a result.

            fields = {name: getattr(self.options, name) for name in OPTIONS}
            found = find_duplicates(self.paths, against=self.against, **fields, **self.search)
            return found, frozenset()
        if self.search:
            raise InvalidSetting(
                "a result must come without settings of a search, got "
                f"{', '.join(sorted(self.search))}: result.at gives it another threshold"
            )
        return self.result, check_matches(inputs, self.result, self.options)

    def find_unchanged(self, inputs: Inputs) -> Result:
        """Do the same, and refuse a result of texts that have changed since."""
        found, changed = self.find(inputs)
        if changed:
            raise InvalidResult(
                "documents must be what they were for the result, got "
                f"{str(min(changed, key=order_of))!r}, which has changed since: search again"
            )
        return found


@dataclass(frozen=True, slots=True)
class Extras:
    """What is written beside what stays, or in its place."""

    annotate: bool
    story: bool
    cut_repeated: bool
    replace_text: bool

    def check(self, output: object, html_field: str | None) -> None:
        """Refuse what does not go together."""
        for name, is_asked in asdict(self).items():
            if is_asked and output is None:
                raise InvalidSetting(f"{name} must come with output, which says where to write")
        if not self.replace_text:
            return
        if not (self.story or self.cut_repeated):
            raise InvalidSetting(
                "replace_text must come with story or cut_repeated, which says what is cut"
            )
        if html_field is not None:
            raise InvalidSetting(
                f"replace_text must be for texts, got html_field={html_field!r}: leave it out, and "
                "the story gets a field of its own"
            )


def action_of(output: object, move: object, delete: bool, hardlink: bool) -> Action | None:
    """Return what is to be done to files, if anything."""
    asked = {"output": output, "move": move, "delete": delete, "hardlink": hardlink}
    given = [name for name, value in asked.items() if value is not None and value is not False]
    if len(given) > 1:
        raise InvalidSetting(f"only one thing can be done to duplicates, got {', '.join(given)}")
    actions: dict[str, Action] = {"move": "move", "delete": "delete", "hardlink": "hardlink"}
    return actions.get(given[0]) if given else None


def check_names(**named: str | os.PathLike[str] | None) -> None:
    """Refuse empty names, which a variable of a shell that is not set leaves, and indexes."""
    for name, value in named.items():
        if value is None:
            continue
        if not os.fspath(value):
            raise InvalidSetting(f"{name} must name a place, got an empty string")
        if is_index(value):
            raise InvalidSetting(
                f"{name} must be a place for files, got the index {os.fspath(value)!r}: "
                "Index(path).add_paths(...) (dedupe index add) adds documents to one"
            )


def without_stdin(what: str, paths: Paths) -> list[str]:
    """Return paths, but refuse standard input, of which nothing but records can be written."""
    names = named(paths)
    if STDIN in names:
        raise InvalidSetting(
            f"{what} must be files or folders here, got '-': save what is piped in to a file"
        )
    return names


def absolute(name: str) -> str:
    """Return the one spelling of a path that a journal has, whatever folder one is in."""
    path = os.path.abspath(name)  # noqa: PTH100
    # Where a link is followed and then "..", that is another place. No file has a zero byte.
    if "\0" not in name and os.path.realpath(name) != os.path.realpath(path):
        raise InvalidSetting(
            f"paths must not lead through a link and back, got {name!r}: "
            f"name {os.path.realpath(name)!r} itself"
        )
    return path
