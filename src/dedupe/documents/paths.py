"""What callers name, as paths that exist: files, folders, patterns, standard input."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from reprlib import repr as short

from dedupe.documents.folders import join, listed
from dedupe.errors import InvalidInput, NoSuchPath

__all__ = ["STDIN", "Paths", "anchor", "check_stdin", "is_path", "named", "resolve"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""What callers name: files, folders and patterns, one or several."""

STDIN = "-"
"""What stands for standard input among paths; a file of this name is ``./-``."""


def resolve(paths: Paths) -> list[str]:
    """Return the paths that exist, with patterns replaced by what they match.

    Raises
    ------
    NoSuchPath
        When a path does not exist or a pattern matches nothing.
    InvalidInput
        When these are no paths.
    """
    return [path for name in named(paths) for path in _expand(name)]


def named(paths: Paths) -> list[str]:
    """Return paths and patterns as strings, or raise `InvalidInput` where they are none."""
    if isinstance(paths, str | os.PathLike):
        return [_named(paths)]
    # A table would yield the names of its columns, and a mapping its keys.
    is_table = any(hasattr(type(paths), name) for name in ("columns", "column_names"))
    if is_table or isinstance(paths, Mapping) or not isinstance(paths, Iterable):
        raise _no_path(paths)
    return [_named(path) for path in paths]


def _named(path: object) -> str:
    """Return a path as a string, or raise `InvalidInput` where it is none."""
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise _no_path(path)
    is_text = "\n" in name or any(len(part) > LONGEST_NAME for part in name.split("/"))
    if is_text and not os.path.lexists(name):
        raise InvalidInput(f"paths must be names of files or folders, got {short(name)}: {SISTERS}")
    return name


def _no_path(value: object) -> InvalidInput:
    """Say that something else stands where paths go."""
    return InvalidInput(
        f"paths must be strings or Path objects, got {type(value).__name__}: {SISTERS}"
    )


LONGEST_NAME = 255
"""Characters of a file name that no file system exceeds: what is longer is a text."""

SISTERS = "texts in memory are for find_duplicate_texts, or compare_texts"


def is_path(text: object) -> bool:
    """Return whether a value names a file that is there, and can hardly be a text."""
    if isinstance(text, os.PathLike):
        return True
    return isinstance(text, str) and len(text.split()) == 1 and os.path.exists(text)  # noqa: PTH110


def _expand(name: str) -> list[str]:
    """Return a path that exists, or what it matches as a pattern."""
    if name == STDIN:
        check_stdin()
    # A broken link exists too: that it leads nowhere is said when its turn comes.
    if name == STDIN or os.path.lexists(name):
        return [name]
    if not _is_pattern(name):
        raise NoSuchPath(
            f"paths must exist, got {name!r}: check it; this is {Path.cwd()}{_hint(name)}"
        )
    first, *parts = name.split("/") if os.sep == "/" else name.replace(os.sep, "/").split("/")
    start = f"{first}/" if first == "" or first.endswith(":") else ""
    found = sorted(set(_matches(start, parts if start else [first, *parts])))
    if not found:
        raise NoSuchPath(
            f"a pattern must match something, got {name!r}: check it, and its quotes{_hint(name)}"
        )
    return [f"./{path}" if path == STDIN else path for path in found]


def check_stdin() -> None:
    """Raise `NoSuchPath` where standard input is closed: nobody has piped in nothing."""
    if sys.stdin is None or getattr(sys.stdin, "closed", False):
        raise NoSuchPath(
            f"standard input must be open to be read, got {STDIN!r} while it is closed: pipe "
            "something in, or name a file"
        )


def _hint(name: str) -> str:
    """Return what to say beside, where a name may have been meant as a text."""
    return f"; {SISTERS}" if len(name.split()) > 2 else ""


def anchor(name: str) -> str:
    """Return the folder that a path or a pattern starts from, be the path there or not.

    It is the same before and after files under it are moved away.

    >>> anchor("news/*/a.txt"), anchor("news/missing.txt"), anchor("missing.txt")
    ('news', 'news', '.')
    """
    if os.path.isdir(name):  # noqa: PTH112  A Path would lose a trailing slash.
        return name
    folder = os.path.dirname(name)  # noqa: PTH120
    while _is_pattern(folder) and not os.path.isdir(folder):  # noqa: PTH112
        folder = os.path.dirname(folder.rstrip("/" + os.sep))  # noqa: PTH120
    return folder or "."


def _is_pattern(name: str) -> bool:
    """Tell whether a name has a wildcard."""
    return any(mark in name for mark in "*?[")


def _matches(folder: str, parts: list[str]) -> Iterator[str]:
    """Yield what is under a folder and matches the parts of a pattern.

    `glob` would follow links under ``**`` round in circles, and with two such
    links in a folder the ways double at each turn.
    """
    if not parts:
        yield folder or "."
        return
    first, *rest = parts
    if first == "**":
        for inner in _folders(folder):
            yield from _matches(inner, rest)
    elif _is_pattern(first):
        for found in listed(folder, first):
            yield from _matches(found.path, rest)
    elif os.path.lexists(join(folder, first)):
        yield from _matches(join(folder, first), rest)


def _folders(folder: str) -> Iterator[str]:
    """Yield a folder and every folder under it."""
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        yield folder
        waiting += [found.path for found in listed(folder) if found.is_folder]
