"""Find articles that are the same story under different boilerplate, and show the matching text.

>>> import dedupe
>>> story = "the council voted on monday to close the old bridge for repairs until next spring " * 3
>>> result = dedupe.find_duplicate_texts({"agency": story, "page": "home news sport " + story})
>>> [cluster.members for cluster in result.clusters]
[('agency', 'page')]

Names are imported when they are first used, so that ``import dedupe`` costs next
to nothing and numba is loaded only where there is work for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedupe.api import Progress, compare, compare_texts, find_duplicate_texts, find_duplicates
    from dedupe.cleaning import Cleaning, clean
    from dedupe.errors import (
        CannotClean,
        CannotStore,
        DedupeError,
        DuplicateId,
        IndexInUse,
        InvalidCheckpoint,
        InvalidIndex,
        InvalidInput,
        InvalidLabels,
        InvalidResult,
        InvalidSetting,
        MissingExtra,
        MissingJava,
        NoSuchPath,
        NothingToRead,
        Skipped,
        UnknownDocument,
    )
    from dedupe.ids import Old
    from dedupe.index.index import Index
    from dedupe.index.matches import Match, Matches
    from dedupe.index.records import Added, Entry, Stats, Verification
    from dedupe.results.calibration import Calibration, Trial, calibrate
    from dedupe.results.records import (
        Cluster,
        Comparison,
        Copy,
        DocumentInfo,
        Duplicate,
        Evidence,
        Pair,
        Passage,
        Remainder,
        Span,
        Story,
    )
    from dedupe.results.result import Result
    from dedupe.settings import Settings
    from dedupe.warming import warm_up

__version__ = "0.1.0"

_HOMES = {
    "dedupe.api": (
        "Progress",
        "compare",
        "compare_texts",
        "find_duplicate_texts",
        "find_duplicates",
    ),
    "dedupe.results.calibration": ("Calibration", "Trial", "calibrate"),
    "dedupe.cleaning": ("Cleaning", "clean"),
    "dedupe.errors": (
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
    ),
    "dedupe.ids": ("Old",),
    "dedupe.index.index": ("Index",),
    "dedupe.index.matches": ("Match", "Matches"),
    "dedupe.index.records": ("Added", "Entry", "Stats", "Verification"),
    "dedupe.results.records": (
        "Cluster",
        "Comparison",
        "Copy",
        "DocumentInfo",
        "Duplicate",
        "Evidence",
        "Pair",
        "Passage",
        "Remainder",
        "Span",
        "Story",
    ),
    "dedupe.results.result": ("Result",),
    "dedupe.settings": ("Settings",),
    "dedupe.warming": ("warm_up",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Added",
    "Calibration",
    "CannotClean",
    "CannotStore",
    "Cleaning",
    "Cluster",
    "Comparison",
    "Copy",
    "DedupeError",
    "DocumentInfo",
    "Duplicate",
    "DuplicateId",
    "Entry",
    "Evidence",
    "Index",
    "IndexInUse",
    "InvalidCheckpoint",
    "InvalidIndex",
    "InvalidInput",
    "InvalidLabels",
    "InvalidResult",
    "InvalidSetting",
    "Match",
    "Matches",
    "MissingExtra",
    "MissingJava",
    "NoSuchPath",
    "NothingToRead",
    "Old",
    "Pair",
    "Passage",
    "Progress",
    "Remainder",
    "Result",
    "Settings",
    "Skipped",
    "Span",
    "Stats",
    "Story",
    "Trial",
    "UnknownDocument",
    "Verification",
    "__version__",
    "calibrate",
    "clean",
    "compare",
    "compare_texts",
    "find_duplicate_texts",
    "find_duplicates",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dedupe' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOME_OF[name]), name)
    except (AttributeError, ImportError):
        # Another project of this name may have written over a file.
        import_module("dedupe.installation").check()
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return __all__
