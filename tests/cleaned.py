"""What tests of cleaning share: results made by hand, so that nothing has to be searched."""

import os
from collections.abc import Iterable
from pathlib import Path

from dedupe import Cluster, DocumentInfo, Duplicate, Pair, Result, Settings, Skipped
from dedupe.documents import read_paths
from dedupe.ids import order_of, plain_id

SHARES = (0.9, 0.5, 1, 1, 0.5, 0.9, 1, 0.5)


def made(paths, *groups: Iterable[str], **fields) -> Result:
    """Make a result of what stands under the paths; the first of each group is kept."""
    items = list(read_paths(paths, **fields))
    skipped = tuple(item for item in items if isinstance(item, Skipped))
    documents = {item.id: item for item in items if not isinstance(item, Skipped)}
    # Tests call documents by their ids as text, old ones too.
    own = {str(plain_id(id_)): id_ for id_ in documents}
    groups = [tuple(own.get(str(name), name) for name in group) for group in groups]
    pairs = [
        Pair(
            *sorted((kept, other), key=order_of),
            *SHARES,
            "contained",
            "7 words, shared",
            7,
            7,
            0,
            0,
        )
        for kept, *others in groups
        for other in others
    ]
    listed = {id_ for group in groups for id_ in group}
    return Result(
        clusters=tuple(Cluster(group[0], tuple(sorted(group, key=order_of))) for group in groups),
        duplicates=tuple(
            Duplicate(other, kept, 0.9, kept, 0.9, "7 words, shared")
            for kept, *others in groups
            for other in others
        ),
        scored=tuple(
            sorted(pairs, key=lambda pair: (-pair.score, order_of(pair.left), order_of(pair.right)))
        ),
        skipped=skipped,
        n_documents=len(documents),
        n_words=7 * len(documents),
        settings=Settings(),
        documents=tuple(
            DocumentInfo(id_, 7, 0, None, documents[id_].is_old, documents[id_].digest)
            for id_ in sorted((id_ for group in groups for id_ in group), key=order_of)
        ),
        others=tuple(
            sorted(
                (id_ for id_, one in documents.items() if id_ not in listed and not one.is_old),
                key=order_of,
            )
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
