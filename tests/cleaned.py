"""What tests of cleaning share: files, and results made by hand, so that nothing is searched."""

import bz2
import errno
import gzip
import json
import lzma
import os
from collections.abc import Iterable
from pathlib import Path

import zstandard

from dedupe import Cluster, DocumentInfo, Duplicate, Pair, Result, Settings, Skipped, clean
from dedupe.documents import read_paths
from dedupe.ids import order_of, plain_id

SAME = "one story"
WAYS = {"move": {"move": "gone"}, "delete": {"delete": True}, "hardlink": {"hardlink": True}}
BEFORE = "kept by whoever was here before"
UNPACK = {
    "": bytes,
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
SHARES = (0.9, 0.5, 1, 1, 0.5, 0.9, 1, 0.5)


def made(paths, *groups: Iterable[str], **fields) -> Result:
    """Make a result of what stands under the paths; the first of each group is kept."""
    items = list(read_paths(paths, **fields))
    skipped = tuple(item for item in items if isinstance(item, Skipped))
    documents = {item.id: item for item in items if not isinstance(item, Skipped)}
    # Tests call documents by their ids as text, old ones too.
    own = {str(plain_id(id_)): id_ for id_ in documents}
    groups = [tuple(own.get(str(name), name) for name in group) for group in groups]
    matched = [(kept, other) for kept, *others in groups for other in others]
    listed = {id_ for group in groups for id_ in group}
    new = {id_ for id_, document in documents.items() if not document.is_old}
    return Result(
        clusters=tuple(Cluster(group[0], tuple(sorted(group, key=order_of))) for group in groups),
        duplicates=tuple(
            Duplicate(other, kept, 0.9, kept, 0.9, "7 words, shared") for kept, other in matched
        ),
        scored=tuple(sorted(map(_pair, matched), key=_order)),
        skipped=skipped,
        n_documents=len(documents),
        n_words=7 * len(documents),
        settings=Settings(),
        documents=tuple(
            DocumentInfo(id_, 7, 0, None, documents[id_].is_old, documents[id_].digest)
            for id_ in sorted(listed, key=order_of)
        ),
        others=tuple(sorted(new - listed, key=order_of)),
        n_old=sum(document.is_old for document in documents.values()),
    )


def _pair(sides):
    """Return two documents as a pair, whichever is kept."""
    words = {"shared_words": 7, "story_words": 7, "hole_words": 0, "boilerplate_words": 0}
    return Pair(*sorted(sides, key=order_of), *SHARES, "contained", "7 words, shared", **words)


def _order(pair):
    return order_of(pair.left), order_of(pair.right)


def tree(folder: str | os.PathLike[str] = ".") -> dict[str, bytes]:
    """Return everything that is in a folder, links as what they point to."""
    return {
        path.relative_to(folder).as_posix(): (
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(Path(folder).rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }


def write(**files: str) -> None:
    """Write files; two underscores stand for a slash."""
    for name, text in files.items():
        path = Path(name.replace("__", "/") + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def rewrite(path: str) -> None:
    """Change a file without changing its size or time."""
    info = Path(path).stat()
    other = Path(path).with_suffix(".new")
    other.write_text(Path(path).read_text().upper())
    other.replace(path)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def three() -> Result:
    """Write three files, of which the first is kept, and return what is known of them."""
    write(in__a=SAME, in__b=SAME, in__deep__c="one story, other words", in__other="else")
    return made("in", ["in/a.txt", "in/b.txt", "in/deep/c.txt"])


def left(done) -> dict[str, str]:
    assert done.dropped == ()
    return {item.id: item.reason for item in done.left}


def other_disk(monkeypatch, folder: str) -> None:
    """Let a folder be on another disk, as far as links can tell."""
    real = os.link

    def link(source, target, **more):
        if (folder in Path(source).parts) != (folder in Path(target).parts):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target, **more)

    monkeypatch.setattr(os, "link", link)


def cleaned(data: bytes, *groups, name="in.jsonl", out=None, **options) -> bytes:
    """Return what a file becomes without what goes."""
    Path(name).write_bytes(data)
    out = out or f"out.{name.partition('.')[2]}"
    done = clean(name, output=out, result=made(name, *groups), **options)
    assert done.written == (Path(out).resolve(),)
    assert done.left == ()
    return Path(out).read_bytes()


def line(id_: str, **more) -> str:
    return json.dumps({"id": id_, "text": f"text of {id_}", **more}, ensure_ascii=False)
