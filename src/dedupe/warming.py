"""Compiles what every search runs before it is needed: once on a machine, or in an image.

Kernels are compiled by being called, and so a few made-up texts are searched, in as many
ways as lead to other kernels.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from tempfile import TemporaryDirectory

from dedupe import kernels
from dedupe.comparison import compare_documents
from dedupe.documents import Document
from dedupe.engine.local import LocalEngine
from dedupe.learning import known_shingles
from dedupe.pipeline import find
from dedupe.progress import Progress, ProgressCallback
from dedupe.report.progress import shown
from dedupe.scoring.boilerplate import NOTHING
from dedupe.settings import Resources, Settings
from dedupe.shingling import Sealed

__all__ = ["compile_for_search", "warm_up", "warm_up_once"]

STAGES = (
    "signatures",
    "candidates",
    "shingles",
    "boilerplate",
    "counts",
    "weights",
    "learning",
    "scoring",
    "clustering",
)
"""The stages of a search of the articles, in whose course the kernels are compiled."""

DAY = 86_400.0

DEFAULTS = Settings()


def warm_up(*, progress: ProgressCallback | bool | None = None) -> None:
    """Compile all kernels now, so that no later start on this machine has to.

    Takes half a minute on a new machine, and half a second where all is compiled. For the image
    of a container, run it (or ``dedupe warm-up``) while the image is built, as the user and on the
    kind of processor that will run it.

    Parameters
    ----------
    progress : callable or bool, optional
        Is given how far it has come, as `Progress`; True shows it on standard error.

    Raises
    ------
    InvalidSetting
        When `progress` is something else.

    Examples
    --------
    >>> import dedupe
    >>> dedupe.warm_up()
    """
    with shown(progress) as told:
        compile_for_search(told or (lambda _: None))
    _search(_articles(), settings=replace(DEFAULTS, window=timedelta(days=7)))
    _search([*_articles(), *_articles(is_old=True)])
    menu, page, *_ = _articles()
    _search(_articles(), known=known_shingles([menu], DEFAULTS.ngram))
    compare_documents(menu, page, DEFAULTS)
    _keep()


def warm_up_once(progress: ProgressCallback) -> None:
    """Compile all kernels unless a search or this has done so on this machine."""
    if not kernels.are_compiled():
        warm_up(progress=progress)


def compile_for_search(progress: ProgressCallback) -> None:
    """Compile what every search runs, and say how far that has come."""
    reached: set[str] = set()

    def told(step: Progress) -> None:
        if step.stage in STAGES and step.stage not in reached:
            reached.add(step.stage)
            progress(Progress("compiling", len(reached) - 1, len(STAGES), "stages"))

    if not kernels.are_compiled():
        progress(Progress("compiling", 0, len(STAGES), "stages", note=_note()))
    _search(_articles(), progress=told)
    progress(Progress("compiling", len(STAGES), len(STAGES), "stages"))


def _note() -> str:
    """Say what the kernels are compiled for, and how to wait for it but once."""
    if kernels.are_kept():
        return "compiling the kernels, once; the next start is fast"
    return (
        "compiling the kernels, which no folder can keep: set NUMBA_CACHE_DIR to one "
        "that can be written, and the next start is fast"
    )


def _search(
    documents: Iterable[Document],
    *,
    settings: Settings = DEFAULTS,
    known: Sealed = NOTHING,
    progress: ProgressCallback | None = None,
) -> None:
    """Search some documents, so that it has been done once."""
    result = find(documents, settings, LocalEngine(Resources.of(1, progress=progress)), known=known)
    # Evidence is found when it is asked for.
    _ = [pair.evidence for pair in result.pairs[:1]]


def _keep() -> None:
    """Keep some documents in an index and ask it, so that it has been done once."""
    from dedupe.index.index import Index  # noqa: PLC0415  SQLite is of no use to a search.

    texts = {one.id: one.text for one in _articles()}
    asked = texts["6"]
    with TemporaryDirectory() as folder:
        # Newest texts, then a segment of them, before and after it has learned; then two.
        with Index(folder) as index:
            for number in range(2):
                index.add_texts({f"{number} {id_}": text for id_, text in texts.items()})
                index.add(number, f"{asked} {number}")
                for _ in range(2):
                    index.query(asked)
                    index.learn(workers=1)
                    index.query(asked)
                    index.compact()
            index.verify()
        with Index(folder, mode="r") as index:
            # Evidence is found when it is asked for.
            _ = [match.evidence for match in index.query(asked)]


def _articles(*, is_old: bool = False) -> list[Document]:
    """Return articles under one menu, with copies, edited copies and filled forms among them."""
    menu, footer = _words("menu", 40), _words("footer", 30)
    stories = [_words(f"story{number}x", 90) for number in range(8)]
    edited = stories[0].replace("story0x50 ", "another ")
    texts = [menu, stories[1], edited, f"{stories[2]} {stories[2]}", stories[3], "été " * 60]
    texts += [f"{menu}\n{story}\n{footer}" for story in stories]
    texts += [_filled_form(f"report{number}x") for number in range(6)]
    prefix = "old " if is_old else ""
    return [
        Document(f"{prefix}{number}", text, time=number * DAY, is_old=is_old, is_dated=True)
        for number, text in enumerate(texts)
    ]


def _filled_form(name: str) -> str:
    """Return a form in whose slots stand words that stand in no other text."""
    parts = [f"{_words(f'form{slot}x', 20)} {_words(f'{name}{slot}x', 3)}" for slot in range(5)]
    return "\n".join(parts)


def _words(name: str, n_words: int) -> str:
    """Return words that stand in no other text."""
    return " ".join(f"{name}{number}" for number in range(n_words))
