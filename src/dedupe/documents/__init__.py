"""From paths, or from what is in memory, to documents: the only reader of input.

Everything that can hold articles comes out as a stream of `Document`, and
everything that could not be read as a `Skipped` between them, with its reason
and remedy, so that one bad file costs one file. No more than one text, or one
batch of rows, is held at a time.

What a text says is left to `dedupe.shingling.tokens`; nothing here normalises.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from dedupe.documents.acceptance import Remedies, accepted
from dedupe.documents.document import Document, Placed, holds_nothing, shown
from dedupe.documents.formats import read_file
from dedupe.documents.memory import read_texts
from dedupe.documents.options import Options
from dedupe.documents.paths import Paths, named, resolve
from dedupe.documents.streams import MAX_BYTES
from dedupe.documents.walk import File, walk
from dedupe.errors import Skipped
from dedupe.ids import plain_id

__all__ = ["MAX_BYTES", "Document", "Skipped", "read_file", "read_paths", "read_texts"]


def read_paths(
    paths: Paths,
    *,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    time_field: str | None = None,
    time_from: str | None = None,
    delimiter: str | None = None,
    max_bytes: int = MAX_BYTES,
    against: Paths | None = None,
    stored: Mapping[str, Iterable[Document]] | None = None,
    qualify_ids: bool = False,
    is_part: bool = False,
    must_name: bool = False,
) -> Iterator[Document | Skipped]:
    """Read the documents in files and folders, one after the other.

    Parameters
    ----------
    paths : path or iterable of paths
        Files; folders; patterns such as ``news/**/*.txt``; ``-`` for standard input. A name
        that exists is never a pattern. Folders are walked in the order of names: hidden names
        (``.git``) are passed over, and links to folders are not followed.
    id_field, text_field : str
        The fields of a record that hold its id and its text. ``meta.text`` is the field
        ``text`` of an object ``meta``, unless a field is itself called so. ``title,body`` are
        two fields, joined by an empty line, of which a record may lack some. Each of them, and
        an `id_field` other than ``id``, must be there in at least one record.
    html_field : str, optional
        The field of a record that holds HTML, from which the article is taken as from a web
        page. It is the text, or a part of it where `text_field` names it, too.
    time_field : str, optional
        The field of a record that holds its time: seconds since 1970, or ISO 8601 (UTC where
        it names no zone). Without it a record is as old as its file. At least one record must
        have a time there.
    time_from : str, optional
        ``"mtime"`` makes a window go by the time of a file, too: when it was last changed.
    delimiter : str, optional
        What stands between the cells of CSV and TSV. By default a tab in TSV, and in CSV the
        one of ``,``, ``;``, tab and ``|`` under which the header names the text.
    max_bytes : int, at least 1
        The largest text, record or line that is read, in bytes of UTF-8 after decompression;
        see `MAX_BYTES`. A larger one is skipped, and never held in memory.
    against : path or iterable of paths
        An old collection, which is read first; its documents are marked so, and their ids
        with `dedupe.Old`: they may be the same as those of others.
    stored : mapping of str to iterable of Document, optional
        More of the old collection, by the names of what keeps it; it is read before all else.
    qualify_ids : bool
        Put the file before the id of each record, ``file#id``, so that records of several
        files may have the same ids.
    is_part : bool
        The rest is kept elsewhere, as in an index: then no record need have a time, and there
        need be no document, unless one that is there cannot be read.
    must_name : bool
        Records must have ids of their own, since lines are numbered from 1 in each file; a file
        that is one document goes by its path.

    Yields
    ------
    Document or Skipped
        In the order of `paths`. A file that is reached twice is read once, as an old
        one if it belongs to the old collection.

    Raises
    ------
    NoSuchPath
        At once, when a path does not exist or a pattern matches nothing.
    InvalidInput, InvalidSetting
        At once, when `paths` holds no paths, or an option is out of range.
    DuplicateId
        When two documents carry the same id.
    MissingExtra
        When a file needs an optional dependency that is not installed.
    NothingToRead
        At the end, when there was no document, or none of the old collection could be read.
        One that is empty is allowed.

    Notes
    -----
    The suffix tells the format, in capitals or not: plain text (``.txt``,
    ``.text``, ``.md`` or none), JSON Lines (``.jsonl``, ``.ndjson``), other JSON
    (``.json``: an object, a list of them, or one after the other), ``.csv`` and
    ``.tsv`` with a header, ``.parquet``, and HTML (``.html``, ``.htm``,
    ``.xhtml``; its article where trafilatura is installed, otherwise all of its
    visible text). Each may be compressed: ``.gz``, ``.xz``, ``.bz2``, ``.zst``.
    A file of any other kind is read as plain text when it is named, and skipped
    in a folder.

    A file has its path as given for an id, with forward slashes; a record has
    its `id_field`, in the type in which it stands there, or ``path:line`` (``path:number`` in
    JSON and Parquet), counted from 1; the only object of a ``.json`` file has the path.

    Text is UTF-8, or UTF-16 or UTF-32 by its byte order mark. Bytes that are no
    UTF-8 are read as Windows-1252, one by one, and the five that it leaves
    undefined as the control characters of the same number, as browsers do. A
    line of JSON has to be UTF-8, because JSON is.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "news.jsonl").write_text('{"id": 7, "text": "Bridge closed"}')
    ...     [(document.id, document.text) for document in read_paths(folder)]
    [(7, 'Bridge closed')]
    """
    options = Options(
        id_field, text_field, html_field, time_field, time_from, delimiter, max_bytes, qualify_ids
    )
    names = named(paths)
    old = None if against is None else named(against)
    found = walk(resolve(names), old=resolve(old or ()))
    kept = (
        Placed(f"{name}#{one.id}", one).as_old()
        for name, documents in (stored or {}).items()
        for one in documents
    )
    return accepted(
        chain.from_iterable(_read(item, options) for item in found),
        f"{shown(map(repr, names)) or 'no paths'}: name files that hold some, or folders with "
        "such; hidden ones are passed over",
        old=None
        if old is None and stored is None
        else shown(map(repr, [*(old or ()), *(stored or ())])) or "no paths",
        stored=kept,
        time_field=time_field,
        id_field=id_field,
        remedies=Remedies(
            any="rename one, put files before the ids of their records with qualify_ids=True "
            "(--qualify-ids), or name another field with id_field= (--id-field)",
            same_file="leave one out, rename it, or name a field that tells them apart with "
            "id_field= (--id-field)",
        ),
        is_part=is_part,
        must_name=must_name,
    )


def _read(item: File | Skipped, options: Options) -> Iterable[Placed]:
    """Read one thing that the walk came upon."""
    if isinstance(item, Skipped):
        return [Placed(plain_id(item.id), item)]
    placed: Iterable[Placed] = read_file(item, options)
    if options.time_from is not None:
        placed = map(Placed.as_dated, placed)
    return _read_old(item.id, placed) if item.is_old else placed


def _read_old(file: str, placed: Iterable[Placed]) -> Iterator[Placed]:
    """Mark what is in a file as old; where nothing of it can be read, say so of the file."""
    held: list[Placed] = []
    items = iter(placed)
    for one in items:
        if isinstance(one.item, Document):
            yield from map(Placed.as_old, chain(held, [one], items))
            return
        held.append(one)
    yield from map(Placed.as_old, _told_of_file(file, held))


def _told_of_file(file: str, skipped: list[Placed]) -> list[Placed]:
    """Name a file for the first of its records at fault, where none of them can be read.

    A text that goes by another name costs every record, and whoever is told of single ones
    would not see that the whole file is missing.
    """
    faults = [one for one in skipped if isinstance(one.item, Skipped) and one.rows]
    first = next((one for one in faults if not holds_nothing(one.item)), None)  # type: ignore[arg-type]
    if first is None or len(faults) < len(skipped):
        return skipped
    item = first.item
    assert isinstance(item, Skipped)
    reason = f"no document in it can be read; the first, {item.id}: {item.reason}"
    told = Placed(file, Skipped(file, reason, item.remedy))
    return [told if one is first else one for one in skipped]
