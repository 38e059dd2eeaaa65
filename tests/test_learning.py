"""Rounds of learning: each goes through new pairs alone, and forgets nothing that is counted."""

from itertools import accumulate
from operator import or_

import pytest

from dedupe.engine.memory import BlockInMemory
from dedupe.kernels.tables import EMPTY
from dedupe.learning import learn
from dedupe.lsh import candidate_pairs
from dedupe.minhash import sketch
from dedupe.scoring import passes
from dedupe.scoring.block import Block
from dedupe.settings import Settings
from dedupe.shingling import hash_tokens
from material import invented_material
from traps import make_traps


class Noting(BlockInMemory):
    """Notes the pairs that each round goes through, what it counts and of which stories."""

    def __init__(self, block):
        super().__init__(block)
        self.gone_through, self.counted, self.stories = [], [], []

    def each(self, rule, pairs, stage=""):
        if stage == "counts":
            self.gone_through.append(pairs)
        return super().each(rule, pairs, stage)

    def weigh(self, boilerplate, stories):
        shingles = boilerplate._shingles[boilerplate._owners != EMPTY]
        self.counted.append({*shingles.tolist()})
        self.stories.append(stories)
        return super().weigh(boilerplate, stories)


@pytest.fixture(scope="module", params=["template", "chain", "forms"])
def texts(request):
    found = [*make_traps(invented_material(), only=[request.param])]
    return [text for one in found[:2] for text in [*one.texts.values()][:60]]


@pytest.fixture(scope="module")
def learned(texts):
    """Return documents that were learned from, their pairs, and which are long."""
    sketches = sketch([text.encode() for text in texts], Settings())
    pairs = candidate_pairs(sketches.signatures, sketches.n_shingles)
    blocks = Noting(Block.of(hash_tokens(texts, detail=True), 5))
    first = passes.first(blocks.block(), pairs)
    learn(blocks, pairs, first)
    return blocks, pairs[first.is_long]


def apart(pairs, stories):
    return pairs[stories[pairs[:, 0]] != stories[pairs[:, 1]]]


def test_what_different_stories_share_in_any_round_is_counted_from_then_on(learned):
    blocks, pairs = learned
    assert len(blocks.stories) > 1
    shared = (
        {*passes.shared(blocks.block(), apart(pairs, stories)).hashes.tolist()}
        for stories in blocks.stories
    )
    assert blocks.counted == [*accumulate(shared, or_)]


def test_a_pair_that_was_apart_is_not_gone_through_again(learned):
    blocks, pairs = learned
    assert len(blocks.gone_through[0]) == len(apart(pairs, blocks.stories[0]))
    for gone_through, before in zip(blocks.gone_through[1:], blocks.stories, strict=False):
        assert not len(apart(gone_through, before))
