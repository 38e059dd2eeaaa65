"""Words that were made to have the public hashes of others: they are never taken for them.

XXH64 can be inverted. Of the sixteen bytes of such a word the first eight are tried
until the other eight, which follow from them, are letters and digits: a tenth of a
second a word.
"""

from dataclasses import astuple

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from blocks import documents, make_block, ngrams, story
from dedupe import Index, compare_texts, find_duplicate_texts
from dedupe.scoring.alignment import align, shared_shingles
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.scoring.counting import count
from dedupe.shingling import digests, hash_tokens, shingle
from strategies import article

STORY = (
    "the council voted on monday to close the old stone bridge over the river for urgent repairs "
    "until the end of next spring and asked drivers to take the northern road instead"
)
FORGED = (
    "gjttcaaai8kbaat0 zgdtrgda0tik1m4o qcxxinga5fpqcjs3 miqmotja4clpcwvi iqpxwanaalfanxzb "
    "brzndfqalesv467r cvdsfltame01nep8 gjttcaaai8kbaat0 swfnqxzaezej8h1m cpxppddbp7ztqs4o "
    "tkdgdmgbw17nvgj1 dmtfoqjbrjav17tj gjttcaaai8kbaat0 eibjadqbuzde42it wlackitbs3eyclno "
    "exqnapwbdr8ha3rv vtelxvzbya9178vk mpsfzadcqz66pwca gjttcaaai8kbaat0 wmywpnjcosrz6x22 "
    "zfbettmcrmo1xfyq sciiozpcko6x1up8 trlnfhtc6nykzzru bdyezlwcmo2v1qbe kkqxkuzc65fzy4id "
    "sorrdycdwd8iuvzi brzndfqalesv467r lucrmkjd2nc5ifon gjttcaaai8kbaat0 vzkuxwpdbu2zcwlk "
    "frukedtdxrh4m0pr xpexzjwdb09m9aca"
)
SPAM = article("spam", 60)


def test_each_word_has_the_hash_of_another():
    for word, forged in zip(STORY.split(), FORGED.split(), strict=True):
        assert word != forged
        assert xxhash.xxh64_intdigest(forged.encode()) == xxhash.xxh64_intdigest(word.encode())
    tokens = hash_tokens([STORY, FORGED], detail=True)
    one, other = digests(tokens)
    assert one == other
    assert (shingle(STORY) == shingle(FORGED)).all()


@pytest.mark.parametrize("forged", [FORGED, f"{FORGED} {SPAM}", f"{SPAM} {FORGED}"])
def test_a_forged_text_is_not_the_story(forged):
    found = compare_texts(STORY, forged)
    assert not found.same_story
    assert (found.pair.relation, found.pair.score, found.pair.shared_words) == ("different", 0, 0)
    assert found.pair.evidence.passages == ()
    result = find_duplicate_texts({"story": STORY, "forged": forged})
    assert (result.clusters, result.duplicates, result.n_copies) == ((), (), 0)


def test_copies_of_a_story_and_of_a_forgery_are_told_apart():
    texts = {
        "a": STORY, "b": STORY.upper(), "c": f"{STORY}.", "d": STORY,
        "v": FORGED, "w": FORGED.upper(), "x": FORGED, "y": f"{SPAM} {STORY}",
    }  # fmt: skip
    result = find_duplicate_texts(texts)
    found = {cluster.members for cluster in result.clusters}
    assert found == {("a", "b", "c", "d", "y"), ("v", "w", "x")}
    assert result.n_copies == 5
    # Nothing of a forgery is taken for a copy of an old story, nor the other way round.
    alone = find_duplicate_texts([("new", FORGED)], against=[("old", STORY)])
    assert alone.duplicates == ()


def test_an_index_tells_copies_of_a_story_and_of_a_forgery_apart():
    texts = {"v": FORGED, "a": STORY, "w": FORGED.upper(), "b": STORY.upper(), "c": f"{STORY}."}
    batch = find_duplicate_texts(texts)
    with Index() as index:
        for name, text in texts.items():
            matches = index.add(name, text)
            assert {match.relation for match in matches} <= {"identical"}
        index.update("v", STORY)
        index.update("v", FORGED)
        for _ in range(2):
            assert [match.id for match in index.query(STORY)] == ["a", "b", "c"]
            assert [match.id for match in index.query(FORGED)] == ["v", "w"]
            assert index.find_duplicates().to_json() == batch.to_json()
            index.rebuild()


def test_words_whose_seals_agree_by_chance_are_no_copies():
    """Among two thousand words some have equal seals of 16 bits."""
    words = [f"w{i}" for i in range(2000)]
    texts = {
        f"{word} {side}": text for word in words for side, text in (("a", word), ("b", f"{word}!"))
    }
    result = find_duplicate_texts(texts)
    assert len(result.clusters) == 2000
    assert {len(cluster) for cluster in result.clusters} == {2}


def test_a_page_with_both_is_matched_by_what_it_says():
    page = f"{FORGED} {SPAM} {STORY}"
    found = compare_texts(STORY, page).pair
    assert (found.relation, found.shared_words) == ("contained", len(STORY.split()))
    (passage,) = found.evidence.passages
    assert page[slice(*passage.right)] == STORY


@pytest.mark.parametrize("n", [1, 40, 400])
def test_forgeries_before_a_story_do_not_hide_it(n):
    page = f"{FORGED} {SPAM} " * n + STORY
    found = compare_texts(STORY, page).pair
    assert (found.relation, found.shared_words) == ("contained", len(STORY.split()))


def test_forged_words_do_not_count_as_shingles_in_common():
    honest = f"{STORY} {SPAM}"
    page = f"{STORY} {SPAM.split()[0]} {FORGED}"
    assert compare_texts(STORY, page).pair.jaccard < 0.6
    assert compare_texts(STORY, honest).pair.jaccard < 0.6


def watch(boilerplate, shared):
    """Watch shingles as a search does."""
    boilerplate.watch(shared.hashes, shared.public())


def test_forgeries_do_not_make_boilerplate_of_a_story():
    words = story(30)
    block = make_block([words] * 5, seals=[np.array(words) ^ secret for secret in (0, 0, 9, 9, 9)])
    boilerplate = Boilerplate()
    watch(boilerplate, shared_shingles(block, np.array([0]), np.array([1])))
    count(boilerplate, block.words, np.arange(5))
    weights = block.weighed(boilerplate).weights.reshape(5, -1)
    assert weights[:2].tolist() == [[0.5] * 30] * 2
    assert weights[2:].tolist() == [[1.0] * 30] * 3
    # Of both, the commonest is kept for others, who know no seals.
    watch(boilerplate, shared_shingles(block, np.array([2]), np.array([3])))
    count(boilerplate, block.words, np.arange(5, 10))
    known = Boilerplate.from_bytes(boilerplate.to_bytes())
    assert set(block.weighed(known).weights.tolist()) == {np.float32(1 / 4).item()}


def test_forged_words_within_a_story_are_edited_words():
    words, forged = STORY.split(), FORGED.split()
    mixed = [*words[:12], *forged[12:20], *words[20:]]
    found = compare_texts(STORY, " ".join(mixed)).pair
    honest = compare_texts(
        STORY, " ".join([*words[:12], *(f"x{i}" for i in range(8)), *words[20:]])
    )
    assert (found.score, found.reason) == (honest.pair.score, honest.pair.reason)


@given(documents, documents, ngrams, st.integers(0, 2**16 - 1))
def test_what_is_measured_does_not_depend_on_the_secret(one, other, ngram, secret):
    plain = make_block([one, other], ngram)
    sealed = make_block(
        [one, other], ngram, seals=[np.array(one) ^ secret, np.array(other) ^ secret]
    )
    pair = np.array([0]), np.array([1])
    found, expected = align(sealed, *pair), align(plain, *pair)
    for measured, wanted in zip(astuple(found), astuple(expected), strict=True):
        assert measured.tolist() == wanted.tolist()


@given(st.integers(1, 40), ngrams, st.data())
def test_a_word_that_is_not_the_same_is_not_covered(n, ngram, data):
    """Of a document and itself, where one word has another seal."""
    words = story(n)
    place = data.draw(st.integers(0, n - 1))
    forged, other = np.array(words), [*words]
    forged[place] += 1000
    other[place] += 1000
    pair = np.array([0]), np.array([1])
    found = align(make_block([words, words], ngram, seals=[np.array(words), forged]), *pair)
    expected = align(make_block([words, other], ngram), *pair)
    assert found.covered.tolist() == expected.covered.tolist()
    assert found.hole.tolist() == expected.hole.tolist()


@pytest.mark.parametrize("n", [1, 7, 8, 9, 15, 16, 17, 24, 31, 40])
def test_a_word_has_one_seal_however_it_is_spelled_and_no_other_has_it(n):
    """Short and long words are read in different ways, and so are plain and folded ones."""
    word = "abcdefghij" * 4
    spelled = ["".join(letters) for letters in (word[:n], word[:n].upper(), f"\u00ad{word[:n]}")]
    tokens = hash_tokens([*spelled, word[: n - 1] + "z"], detail=True)
    one, upper, hyphenated, other = tokens.seals.tolist()
    assert one == upper == hyphenated
    assert tokens.hashes[0] == tokens.hashes[2]
    assert one != other or tokens.hashes[0] == tokens.hashes[3]


def test_seals_of_words_that_differ_in_chosen_bits_do_not_agree():
    """Letters that differ in the same bit of several of their bytes cancel no difference."""
    letters = [chr(0x680 + i) for i in range(0x40) if chr(0x680 + i).isalpha()]
    flipped = {one: chr(ord(one) ^ 0x20) for one in letters if chr(ord(one) ^ 0x20) in letters}
    words, others = [], []
    for i in range(2000):
        word = [[*flipped][(i * 7 + k * (1 + i // 40)) % len(flipped)] for k in range(8)]
        words.append("".join(word))
        others.append(
            "".join(flipped[one] if k in (2, 4, 6) else one for k, one in enumerate(word))
        )
    seals = hash_tokens([" ".join(words), " ".join(others)], detail=True).seals
    one, other = seals[:2000], seals[2000:]
    assert len(one) == len(other)
    assert (one == other).sum() <= 5
