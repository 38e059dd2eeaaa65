"""Whether a result that was found earlier fits the files that are to be cleaned by it.

A search that has just been made does: its files were looked at before it began.
"""

from collections.abc import Iterator

from dedupe.cleaning.inventory import Entry, Inputs
from dedupe.documents import Document, read_file
from dedupe.documents.document import Options
from dedupe.documents.formats import id_of_single
from dedupe.errors import InvalidResult
from dedupe.results.result import Result

__all__ = ["check_matches"]


def check_matches(inputs: Inputs, result: Result, options: Options) -> frozenset[str]:
    """Refuse a result that is not one of these files, or that nobody could act on.

    Returns
    -------
    frozenset of str
        The members of clusters whose text is another one by now.

    Raises
    ------
    InvalidResult
    """
    _check_sound(result)
    members = {member for cluster in result.clusters for member in cluster.members}
    digests = {info.id: info.digest for info in result.documents if info.id in members}
    droppable: set[str] = set()
    keepable: set[str] = set()
    changed: set[str] = set()
    n_items = len(inputs.others.keys() | inputs.kept_in.others.keys())
    for entry in _all_files(inputs):
        is_old = entry.file.key in inputs.kept_in.keys
        for id_, digest in _documents(entry, options, members):
            n_items += 1
            if id_ not in members:
                continue
            if digest != digests.get(id_):
                changed.add(id_)
            if is_old:
                keepable.add(id_)
            if not is_old or inputs.old is None:
                droppable.add(id_)
    dropped = {duplicate.id for duplicate in result.duplicates}
    _check_counts(result, n_items, (dropped - droppable) | (members - dropped - keepable))
    return frozenset(changed)


def _check_counts(result: Result, n_items: int, odd: set[str]) -> None:
    """Refuse a result of other documents: of another number, or with some that are not there."""
    n_known = result.n_documents + len(result.skipped)
    if odd or n_items != n_known:
        first = f", and not {min(odd)!r}" if odd else ""
        raise InvalidResult(
            f"a result must be of the documents that are cleaned: it has {n_known:,}, "
            f"the paths have {n_items:,}{first}; name the same paths and fields as for the "
            "result, or search again"
        )


def _all_files(inputs: Inputs) -> list[Entry]:
    """Return every file once: under all of its names it is the same on disk."""
    files = {entry.file.key: entry for entry in inputs.entries.values()}
    files |= {entry.file.key: entry for entry in inputs.kept_in.entries.values()}
    return list(files.values())


def _documents(
    entry: Entry, options: Options, members: set[str]
) -> Iterator[tuple[str, str | None]]:
    """Yield what is in a file: the ids, and digests of the texts that matter."""
    if not entry.holds_records and (id_ := id_of_single(entry.file, options)) not in members:
        yield id_, None
        return
    for _, item, _ in read_file(entry.file, options):
        is_read = isinstance(item, Document) and item.id in members
        # What cannot be read has no id of its own, and may bear that of something else.
        yield (item.id, item.digest) if is_read else ("", None)  # type: ignore[union-attr]


def _check_sound(result: Result) -> None:
    """Refuse a result in which what is kept of one cluster is dropped in another."""
    dropped = [duplicate.id for duplicate in result.duplicates]
    kept = {duplicate.duplicate_of for duplicate in result.duplicates}
    members = {member for cluster in result.clusters for member in cluster.members}
    odd = kept.intersection(dropped) | {*kept, *dropped} - members
    if odd or len(set(dropped)) < len(dropped):
        shown = repr(min(odd)) if odd else "one of them twice"
        raise InvalidResult(
            f"a result must not drop what it keeps, nor what is in no cluster, got {shown}: "
            "search again"
        )
