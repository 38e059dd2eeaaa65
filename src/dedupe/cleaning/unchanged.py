"""Refuses to go on with what is not what was searched any more, while it is cleaned."""

from pathlib import Path

from dedupe.cleaning.inventory import Entry, Inputs, Stamp, opened
from dedupe.documents import Document
from dedupe.documents.options import Options
from dedupe.errors import CannotClean, Skipped
from dedupe.ids import Id, Old, order_of
from dedupe.results.result import Result

__all__ = ["check_same", "check_stored", "check_text"]


def check_same(entry: Entry) -> None:
    """Refuse to go on with a file that is not the one that was searched."""
    if entry.path is not None and Stamp.of(Path(entry.path).stat()) != entry.stamp:
        raise _changed(entry.file.id)


def check_stored(inputs: Inputs, result: Result, options: Options) -> None:
    """Refuse to go on where a copy that is kept is not in its index any more, or is another."""
    digests = {info.id: info.digest for info in result.documents}
    kept = {one.duplicate_of for one in result.duplicates if isinstance(one.duplicate_of, Old)}
    missing = kept - inputs.holders(result, options).keys()
    if missing:
        raise _changed(min(missing, key=order_of))
    for index in inputs.kept_in(is_old=True).indexes:
        with opened(index) as stored:
            for id_ in kept:
                if id_.id in stored and stored.document(id_.id).digest != digests[id_]:
                    raise _changed(id_)


def check_text(item: Document | Skipped, digest: str | None) -> None:
    """Refuse a text that is not what was compared, whatever its file says of its time."""
    if digest is not None and (isinstance(item, Skipped) or item.digest != digest):
        raise _changed(item.id)


def _changed(what: Id) -> CannotClean:
    """Say that something is not what was searched any more."""
    return CannotClean(
        f"files must not change while they are cleaned, got {what}: "
        "nothing is written, so clean again"
    )
