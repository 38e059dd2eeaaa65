"""Defines all that can go wrong: one tree of exceptions, and the record of a skipped document.

Every exception here is also the builtin that a caller would expect, so that
``except ValueError`` and ``except dedupe.DedupeError`` both work. A message
states the rule, the value and what to do. Input that concerns one document
alone is never an exception: it becomes a `Skipped` and the work goes on.
"""

from dataclasses import dataclass

from dedupe.ids import Id

__all__ = [
    "CannotClean",
    "CannotStore",
    "DedupeError",
    "DuplicateId",
    "IndexInUse",
    "InvalidCheckpoint",
    "InvalidIndex",
    "InvalidInput",
    "InvalidLabels",
    "InvalidResult",
    "InvalidSetting",
    "MissingExtra",
    "MissingJava",
    "NoSuchPath",
    "NothingToRead",
    "Skipped",
    "UnknownDocument",
]


class DedupeError(Exception):
    """The root of everything that `dedupe` raises on purpose."""


class InvalidSetting(DedupeError, ValueError):
    """A setting lies outside its range."""


class InvalidInput(DedupeError, TypeError):
    """The documents were handed over as something that cannot hold texts."""


class NoSuchPath(DedupeError, FileNotFoundError):
    """A path does not exist, or a glob pattern matches nothing."""


class NothingToRead(DedupeError, ValueError):
    """The paths hold no document that could be read."""


class DuplicateId(DedupeError, ValueError):
    """Two documents carry the same id, so that no answer about it would be clear."""


class UnknownDocument(DedupeError, LookupError):
    """A document is asked for that the result does not know."""


class InvalidResult(DedupeError, ValueError):
    """A saved result is damaged, or of a format that this version does not read."""


class InvalidCheckpoint(DedupeError, ValueError):
    """A checkpoint is of another input, settings or version, in use, or the folder holds more."""


class InvalidIndex(DedupeError, ValueError):
    """An index is damaged, of other settings or another version, or the folder holds none."""


class IndexInUse(DedupeError, OSError):
    """Another program writes to the index, and did not finish in time."""


class CannotStore(DedupeError, OSError):
    """What a run must keep does not fit on the disk, or cannot be written."""


class InvalidLabels(DedupeError, ValueError):
    """Labels of pairs are damaged, or say too little to compare thresholds by."""


class CannotClean(DedupeError, OSError):
    """Cleaning had to stop: a file changed meanwhile, or cannot be written."""


class MissingExtra(DedupeError, ImportError):
    """A format needs an optional dependency that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional dependency: "
            f"install it with `pip install 'dedupe-articles[{extra}]'`"
        )
        self.extra = extra


class MissingJava(DedupeError, RuntimeError):
    """Spark needs Java, and there is none."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that was left out, and why.

    Attributes
    ----------
    id : str, int, ...
        The id the document would have had.
    reason : str
        What was wrong with it, with the value that broke the rule.
    remedy : str
        What its owner can do about it.
    """

    id: Id
    reason: str
    remedy: str
