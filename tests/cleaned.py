"""What tests of cleaning share: results made by hand, so that nothing has to be searched."""

import os
from collections.abc import Iterable
from pathlib import Path

from dedupe import Cluster, DocumentInfo, Duplicate, Pair, Result, Settings, Skipped
from dedupe.documents import read_paths

SHARES = (0.9, 0.5, 1, 1, 0.5, 0.9, 1, 0.5)


def made(paths, *groups: Iterable[str], **fields) -> Result:
    """Make a result of what stands under the paths; the first of each group is kept."""
    items = list(read_paths(paths, **fields))
    skipped = tuple(item for item in items if isinstance(item, Skipped))
    documents = {item.id: item for item in items if not isinstance(item, Skipped)}
    groups = [tuple(group) for group in groups]
    pairs = [
        Pair(*sorted((kept, other)), *SHARES, "contained", "7 words, shared", 7, 0, 0)
        for kept, *others in groups
        for other in others
    ]
    return Result(
        clusters=tuple(Cluster(group[0], tuple(sorted(group))) for group in groups),
        duplicates=tuple(
            Duplicate(other, kept, 0.9, kept, 0.9, "7 words, shared")
            for kept, *others in groups
            for other in others
        ),
        scored=tuple(sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right))),
        skipped=skipped,
        n_documents=len(documents),
        n_words=7 * len(documents),
        settings=Settings(),
        documents=tuple(
            DocumentInfo(id_, 7, 0, None, documents[id_].is_old, documents[id_].digest)
            for id_ in sorted(id_ for group in groups for id_ in group)
        ),
        n_old=sum(document.is_old for document in documents.values()),
    )


def tree(folder: str | os.PathLike[str] = ".") -> dict[str, bytes]:
    """Return everything that is in a folder, links as what they point to."""
    return {
        path.relative_to(folder).as_posix(): (
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(Path(folder).rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
