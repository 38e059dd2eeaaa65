"""Compiles what every search runs before it is needed: once on a machine, or in an image.

Kernels are compiled by being called, and so a few made-up texts are searched, in as many
ways as lead to other kernels. numba compiles one at a time, so another process does it from
the last stage on, and each takes what the other has kept: where they meet, all is compiled.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dedupe import kernels
from dedupe.clustering import MANY, average_linkage
from dedupe.comparison import compare_documents
from dedupe.documents import Document
from dedupe.engine.local import LocalEngine
from dedupe.kernels import machine
from dedupe.kernels.measures import N_LINES
from dedupe.learning import known_shingles
from dedupe.pipeline import find
from dedupe.progress import Progress, ProgressCallback
from dedupe.report.progress import shown
from dedupe.scoring.alignment import align, is_spared, similarities
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import NOTHING
from dedupe.scoring.forms import Samples, are_forms
from dedupe.scoring.runs import shared_runs
from dedupe.scoring.stories import Copies, words_of_stories
from dedupe.settings import Resources, Settings, n_processors
from dedupe.shingling import Sealed

__all__ = ["compile_for_search", "compile_from_the_end", "warm_up", "warm_up_once"]

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

    Takes some fifteen seconds on a new machine with two cores, and one where all is compiled. For
    the image of a container, run it (or ``dedupe warm-up``) while the image is built, as the user
    and on the kind of processor that will run it.

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
        _warm_up(told or (lambda _: None))


def warm_up_once(progress: ProgressCallback) -> None:
    """Compile all kernels unless an index or this has done so on this machine."""
    if not kernels.are_compiled(of_index=True):
        _warm_up(progress)


def _warm_up(progress: ProgressCallback) -> None:
    if kernels.are_compiled() and not kernels.are_compiled(of_index=True):
        progress(Progress("compiling", 0, len(STAGES), "stages", note=_note()))
    compile_for_search(progress)
    _search(_articles(), settings=replace(DEFAULTS, window=timedelta(days=7)))
    _search([*_articles(), *_articles(is_old=True)])
    menu, page, *_ = _articles()
    _search(_articles(), known=known_shingles([menu], DEFAULTS.ngram))
    compare_documents(menu, page, DEFAULTS)
    _keep()


def compile_for_search(progress: ProgressCallback) -> None:
    """Compile what every search runs, and say how far that has come."""
    reached: set[str] = set()

    def told(step: Progress) -> None:
        if step.stage in STAGES and step.stage not in reached:
            reached.add(step.stage)
            progress(Progress("compiling", len(reached) - 1, len(STAGES), "stages"))

    is_new = not kernels.are_compiled()
    if is_new:
        progress(Progress("compiling", 0, len(STAGES), "stages", note=_note()))
    with _from_both_ends(is_worth_it=is_new and kernels.are_kept()):
        _search(_articles(), progress=told)
        # Few searches of a few documents have so many pairs, but one of them must not wait.
        _cluster(MANY)
    progress(Progress("compiling", len(STAGES), len(STAGES), "stages"))


@contextmanager
def _from_both_ends(*, is_worth_it: bool) -> Iterator[None]:
    """Have another process compile from the end meanwhile, where there is one to be had.

    Nothing depends on it: whatever it has not kept is compiled here.
    """
    # Elsewhere this may be a server, or a program that would start itself again.
    is_python = Path(sys.executable or "").stem.lower().startswith("python")
    if not (is_worth_it and is_python and machine.is_possible() and n_processors() > 1):
        yield
        return
    code = f"import sys; sys.path[:] = {sys.path!r}; import dedupe.warming as w; "
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}w.compile_from_the_end()"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as other:
        try:
            yield
        finally:
            # It can only be compiling what is kept by now.
            other.terminate()


def compile_from_the_end() -> None:
    """Compile what a search runs once texts are arrays, the last of it first."""
    block = _block(n_docs=8, n_words=60)
    everything, pair = np.arange(8), (np.array([0]), np.array([1]))
    weighed = replace(block, weights=np.ones(block.lines.size, np.float32), stories=everything)
    shared_runs(weighed, 0, 1)
    words_of_stories(
        weighed.words, block.ngram, Copies(everything, np.ones(8, np.int64), np.array([0, 8]))
    )
    similarities(weighed, align(weighed, *pair))
    is_spared(weighed, *pair, np.zeros(1))
    are_forms(block, Samples(everything, np.array([0, 8])))
    _cluster(MANY)
    align(block, *pair)


def _cluster(n_pairs: int) -> None:
    """Make clusters of a few documents by so many pairs or more, of which half are alike."""
    n_docs = round((2 * n_pairs) ** 0.5) + 1
    pairs = np.stack(np.triu_indices(n_docs, 1), axis=1)
    average_linkage(n_docs, pairs, np.arange(len(pairs)) % 2.0, threshold=0.5)


def _block(n_docs: int, n_words: int) -> Block:
    """Return some documents as a block, made without a kernel; their words repeat."""
    n_shingles = n_words - DEFAULTS.ngram + 1
    shingles = np.arange(n_docs * n_shingles, dtype=np.uint64) % np.uint64(n_words)
    return Block(
        shingles=shingles,
        seals=np.zeros(shingles.size, np.uint32),
        shingle_offsets=np.arange(n_docs + 1) * n_shingles,
        token_offsets=np.arange(n_docs + 1) * n_words,
        lines=np.full(n_docs * n_words, 10, np.uint8),
        ngram=DEFAULTS.ngram,
        contents=np.arange(n_docs, dtype=np.uint64),
        prose=np.full((n_docs, N_LINES), n_words, np.float32),
    )


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
