"""Whether a result that was found earlier fits the files that are to be cleaned by it.

A search that has just been made does: its files were looked at before it began.
"""

from collections.abc import Iterator

from dedupe.cleaning.inventory import Entry, Inputs, opened
from dedupe.documents import Document, read_file
from dedupe.documents.formats import id_of_single
from dedupe.documents.options import Options
from dedupe.errors import InvalidResult
from dedupe.ids import Id, Old, order_of, plain_id
from dedupe.results.result import Result

__all__ = ["check_matches"]


def check_matches(inputs: Inputs, result: Result, options: Options) -> frozenset[Id]:
    """Refuse a result that is not one of these files, or that nobody could act on.

    Returns
    -------
    frozenset of ids
        The members of clusters whose text is another one by now.

    Raises
    ------
    InvalidResult
    """
    _check_sound(result)
    members = {member for cluster in result.clusters for member in cluster.members}
    digests = {info.id: info.digest for info in result.documents if info.id in members}
    droppable: set[Id] = set()
    keepable: set[Id] = set()
    changed: set[Id] = set()
    n_items = len(inputs.others.keys() | inputs.kept_in(is_old=True).others.keys())
    for entry in inputs.all_files():
        is_old = inputs.old is not None and entry.file.key in inputs.old.keys
        wanted = {plain_id(one) for one in members if isinstance(one, Old)} if is_old else members
        for own, digest in _documents(entry, options, wanted):
            id_ = Old(own) if is_old else own
            n_items += 1
            if id_ not in members:
                continue
            if digest != digests.get(id_):
                changed.add(id_)
            keepable.add(id_)
            if not is_old:
                droppable.add(id_)
    for index in inputs.kept_in(is_old=True).indexes:
        with opened(index) as stored:
            n_items += len(stored)
            for id_ in members:
                if isinstance(id_, Old) and id_.id in stored:
                    keepable.add(id_)
                    if stored.document(id_.id).digest != digests.get(id_):
                        changed.add(id_)
    dropped = {duplicate.id for duplicate in result.duplicates}
    has_old = inputs.old is not None and (inputs.old.keys or inputs.old.indexes)
    if has_old and not _knows_old(result):
        # Nothing that it keeps is where old copies are.
        keepable.clear()
    _check_counts(result, n_items, (dropped - droppable) | (members - dropped - keepable))
    return frozenset(changed)


def _knows_old(result: Result) -> bool:
    """Return whether a result was held against something, be it that nothing there was read."""
    return bool(result.n_old) or any(isinstance(one.id, Old) for one in result.skipped)


def _check_counts(result: Result, n_items: int, odd: set[Id]) -> None:
    """Refuse a result of other documents: of another number, or with some that are not there."""
    n_known = result.n_documents + len(result.skipped)
    if odd or n_items != n_known:
        first = f", and not {str(min(odd, key=order_of))!r}" if odd else ""
        raise InvalidResult(
            f"a result must be of the documents that are cleaned: it has {n_known:,}, "
            f"the paths have {n_items:,}{first}; name the same paths and fields as for the "
            "result, or search again"
        )


def _documents(entry: Entry, options: Options, members: set[Id]) -> Iterator[tuple[Id, str | None]]:
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
        shown = repr(str(min(odd, key=order_of))) if odd else "one of them twice"
        raise InvalidResult(
            f"a result must not drop what it keeps, nor what is in no cluster, got {shown}: "
            "search again"
        )
