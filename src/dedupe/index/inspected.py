"""Opens an index to see what is damaged, whichever of its files are missing."""

from dedupe.index.index import Index

__all__ = ["Inspected"]


class Inspected(Index):
    """An index that is verified, and perhaps repaired, before anything is looked up in it.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> Index(folder).close()
    >>> with Inspected(folder, mode="r") as inspected:
    ...     inspected.verify().problems
    ()
    """

    _loads = False
