"""What tests of results share: pairs and results made by hand, and all that a result can hold."""

from hypothesis import strategies as st

from dedupe.errors import Skipped
from dedupe.results.records import (
    DocumentInfo,
    Evidence,
    Pair,
    Passage,
    Remainder,
    Span,
    evidence_of,
)
from dedupe.results.result import Result
from dedupe.settings import KEEP, SCORE_FLOOR, Settings


def make_pair(left, right, score, relation="contained", evidence=None):
    shares = (score, score / 2, 1.0, score, 1.0, score, score, 1.0)
    facts = (*shares, relation, "why", 40, 40, 0, 3)
    return Pair(left, right, *facts, find_evidence=evidence_of(evidence))


def make_result(scores, *, documents=None, skipped=(), threshold=0.4, keep="longest"):
    """Return the result of some scores, given as a mapping from "ab" to a score."""
    pairs = [
        make_pair(left, right, score, "identical" if score == 1 else "contained")
        for (left, right), score in scores.items()
    ]
    scored = tuple(sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right)))
    if documents is None:
        ids = sorted({name for pair in pairs for name in (pair.left, pair.right)})
        documents = [DocumentInfo(name, 100 - i, i, None) for i, name in enumerate(ids)]
    settings = Settings(threshold=threshold, keep=keep)
    return Result((), (), scored, skipped, 10, 700, settings, tuple(documents)).at(threshold)


def members(result):
    return [cluster.members for cluster in result.clusters]


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
shares = st.floats(0, 1)
spans = st.tuples(st.integers(0, 9), st.integers(10, 99)).map(lambda pair: Span(*pair))
remainders = st.lists(st.builds(Remainder, spans, st.integers(1, 9), ids), max_size=2).map(tuple)
passages = st.builds(Passage, spans, spans, st.integers(8, 99), ids, st.booleans())
evidences = st.builds(
    Evidence,
    st.lists(passages, min_size=1, max_size=2).map(tuple),
    remainders,
    remainders,
    shares,
    shares,
)


@st.composite
def results(draw):
    """Draw results with everything in them that a result can hold."""
    names = sorted(draw(st.sets(ids, min_size=1, max_size=5)))
    pairs = {}
    for right in names[1:]:
        left = draw(st.sampled_from(names[: names.index(right)]))
        score = draw(st.floats(SCORE_FLOOR, 1))
        evidence = draw(st.none() | evidences)
        relation = draw(st.sampled_from(["identical", "contained"]))
        pairs[left, right] = make_pair(left, right, score, relation, evidence)
    documents = tuple(
        DocumentInfo(name, draw(st.integers(1, 999)), position, draw(st.none() | st.floats(0, 9e9)))
        for position, name in enumerate(names)
    )
    skipped = tuple(draw(st.lists(st.builds(Skipped, ids, ids, ids), max_size=2)))
    settings = Settings(
        threshold=draw(st.floats(SCORE_FLOOR, 1)),
        seed=draw(st.integers(0, 2**32 - 1)),
        keep=draw(st.sampled_from(KEEP)),
    )
    scored = sorted(pairs.values(), key=lambda pair: (-pair.score, pair.left, pair.right))
    bare = Result((), (), tuple(scored), skipped, len(names), 9999, settings, documents)
    return bare.at(settings.threshold)


scores = st.dictionaries(
    st.sampled_from(["ab", "ac", "ad", "bc", "bd", "cd", "de"]), st.integers(10, 100), max_size=7
).map(lambda found: {pair: score / 100 for pair, score in found.items()})
thresholds = st.integers(10, 100).map(lambda n: n / 100)
