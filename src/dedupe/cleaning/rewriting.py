"""What is cleaned, written anew: records without duplicates, or with more fields.

Here it is settled what is to be written, and that nothing changes meanwhile; what is done to
each file is left to `dedupe.cleaning.writer`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from dedupe.cleaning.drafts import Drafts, is_joined, targets
from dedupe.cleaning.inventory import Entry, Inputs, opened
from dedupe.cleaning.passages import Passages, told
from dedupe.cleaning.unchanged import check_same, check_stored
from dedupe.cleaning.writer import Writer, Written
from dedupe.documents import Document, read_file
from dedupe.documents.formats import PLAIN
from dedupe.documents.formats.changes import Changes, Marks
from dedupe.documents.options import Options
from dedupe.errors import InvalidSetting
from dedupe.ids import Id, Old, order_of
from dedupe.results.result import Result
from dedupe.results.tables import said_of

__all__ = ["write_cleaned"]


def write_cleaned(
    inputs: Inputs,
    result: Result,
    output: str,
    options: Options,
    *,
    annotate: bool = False,
    story: bool = False,
    cut_repeated: bool = False,
    replace_text: bool = False,
) -> Written:
    """Write the inputs without duplicates, or with more fields; all of them or none.

    `annotate` marks every record, and leaves out none; `story` adds the story without its
    page to those that stay, or puts it in place of the text, and `cut_repeated` does so with
    what other stories do not repeat.
    """
    places = targets(inputs, output)
    changes = _changes_of(result, annotate=annotate)
    if story or cut_repeated:
        staying = _staying(inputs, options, changes) if cut_repeated else ()
        replaces = options.text_field if replace_text else None
        changes = _with_stories(changes, result, staying, story=story, replaces=replaces)
    singles = inputs.single_documents(result, options)
    joins = is_joined(inputs, output)
    if not joins:
        _check_singles(singles, changes)
    writer = Writer(options, changes, result, {entry.place: id_ for id_, entry in singles.items()})
    for other in inputs.others.values():
        writer.pass_over(other)
    is_one_file = joins or [*places.values()] == [output]
    with Drafts(output, is_one_file=is_one_file) as drafts:
        if joins:
            writer.join(inputs, output, drafts)
        for place, target in () if joins else places.items():
            writer.write(inputs.entries[place], target, drafts)
            check_same(inputs.entries[place])
        _check_old(inputs, result, options)
        paths = drafts.commit()
    return writer.written(paths, result)


def _check_old(inputs: Inputs, result: Result, options: Options) -> None:
    """Refuse to go on where the old collection has changed since it was searched."""
    if inputs.old is None:
        return
    for entry in inputs.old.entries.values():
        check_same(entry)
    if inputs.old.indexes:
        check_stored(inputs, result, options)


def _check_singles(singles: dict[Id, Entry], changes: Changes) -> None:
    """Refuse to add fields to what is one text, or to replace that of a page."""
    if not changes.names:
        return
    if changes.replaces is not None and changes.marks is None:
        pages = [id_ for id_, one in singles.items() if _is_page(one)]
        if pages:
            raise InvalidSetting(
                "replace_text must be for texts, got "
                f"{str(min(pages, key=order_of))!r}, which is a page of HTML: {_JOIN}"
            )
    elif singles:
        what, way_out = "annotate", ""
        if changes.marks is None:
            what = "story"
            if not any(map(_is_page, singles.values())):
                way_out = ", or put it in place of the text: replace_text (--replace-text)"
        raise InvalidSetting(
            f"{what} adds fields to records, got {str(min(singles, key=order_of))!r}, which is one "
            f"text: {_JOIN}{way_out}"
        )


_JOIN = "write records, to one file such as all.jsonl"
"""The way out for what is no record."""


def _is_page(entry: Entry) -> bool:
    """Return whether the text of a file is made of what stands in it, and cannot go back."""
    return entry.format not in (None, PLAIN) and entry.format.rewrite is None


def _staying(inputs: Inputs, options: Options, changes: Changes) -> Iterator[Document]:
    """Yield what will stand in what is written, and what is old."""
    for entry in inputs.all_files():
        is_old = inputs.old is not None and entry.file.key in inputs.old.keys
        for placed in read_file(entry.file, options):
            item = (placed.as_old() if is_old else placed).item
            if isinstance(item, Document) and not changes.goes(item):
                yield item
    for index in inputs.kept_in(is_old=True).indexes:
        with opened(index) as stored:
            for document in stored.documents():
                yield replace(document, id=Old(document.id), is_old=True)


def _changes_of(result: Result, *, annotate: bool) -> Changes:
    """Return what a result asks for."""
    if not annotate:
        return Changes(frozenset(one.id for one in result.duplicates), None)
    marks: dict[Id, Marks] = {
        id_: (said.cluster, said.duplicate_of, said.score, said.relation, said.reason)
        for id_, said in said_of(result).items()
        if not isinstance(id_, Old)
    }
    return Changes(frozenset(), marks)


def _with_stories(
    changes: Changes,
    result: Result,
    staying: Iterable[Document],
    *,
    story: bool,
    replaces: str | None,
) -> Changes:
    """Return changes that add the story of each document, or put it in place of its text."""
    passages = Passages.of(staying, result.clusters)
    return changes._replace(tell=partial(told, result, passages, story), replaces=replaces)
