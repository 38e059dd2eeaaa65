"""What an index looks up: the pairs of the batch, from segments, a tail and what died there."""

import os
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import compress

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from dedupe.errors import InvalidInput
from dedupe.index import merging
from dedupe.index.postings import Postings, Sketch, Tail
from dedupe.index.storage import segments as storage
from dedupe.index.storage.epochs import Companions, Knowledge, write_epoch
from dedupe.index.storage.keys import checked_id, id_from_row, key_of, name_of
from dedupe.index.storage.segments import Dead, Documents, write_segment
from dedupe.kernels.buckets import N_ANCHORS
from dedupe.kernels.postings import (
    DAMAGED,
    PART_BITS,
    STEP,
    collect_into,
    find_into,
    look_up_into,
    pick_into,
    scan_into,
    sift_into,
)
from dedupe.kernels.tables import SALT
from dedupe.lsh import candidate_pairs, likely_shares
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import Sealed

HOUR = timedelta(hours=1)


def documents(random, n, n_perm=16, n_values=12):
    """Return texts of which many share values, as those in crowded buckets do."""
    values = random.integers(0, n_values, (n, n_perm)).astype(np.uint32)
    values[random.random((n, n_perm)) < 0.2] = 0xFFFFFFFF
    return Documents(
        np.arange(1, n + 1, dtype=np.uint32),
        random.integers(1, 30, n),
        random.permutation(n).astype(np.uint64),
        values,
    )


@st.composite
def postings(draw):
    """Draw postings of some parts, with some texts dead, and all texts that are alive."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    everything = documents(random, draw(st.integers(1, 70)))
    part_of = random.integers(0, draw(st.integers(1, 4)), everything.numbers.size)
    tail = Tail(16)
    segments = []
    for part in np.unique(part_of).tolist():
        some = everything.take(part_of == part)
        if part == 0:
            tail.extend(some)
        else:
            segments.append(write_segment(None, f"{part}", some))
    found = Postings(segments, tail, draw(st.sampled_from([2, 5, 30])))
    is_dead = random.random(everything.numbers.size) < draw(st.sampled_from([0, 0.3, 0.9]))
    gone = everything.take(is_dead)
    found.bury(map(Dead._make, zip(*(column.tolist() for column in gone[:3]), strict=True)))
    return found, everything.take(~is_dead)


def pairs_of(everything, cap):
    """Return the numbers that the batch pairs with each."""
    found = {number: set() for number in everything.numbers.tolist()}
    pairs = candidate_pairs(
        everything.signatures, everything.sizes, contents=everything.contents, bucket_cap=cap
    )
    for left, right in everything.numbers[pairs].tolist():
        found[left].add(right)
        found[right].add(left)
    return found


@given(postings())
def test_candidates_are_the_pairs_of_the_batch(drawn):
    found, everything = drawn
    wanted = pairs_of(everything, found._cap)
    for i, number in enumerate(everything.numbers.tolist()):
        size, content = int(everything.sizes[i]), int(everything.contents[i])
        sketch = Sketch(everything.signatures[i], size, content, number)
        assert {*found.candidates(sketch).numbers.tolist()} == wanted[number]


@given(postings(), st.integers(0, 10_000))
def test_candidates_of_a_new_text_are_those_it_would_have_in_company(drawn, seed):
    found, everything = drawn
    new = documents(np.random.default_rng(seed), 1)
    new = new._replace(numbers=np.uint32([999]), contents=np.uint64([999]))
    company = Documents._make(map(np.concatenate, zip(everything, new, strict=True)))
    wanted = pairs_of(company, found._cap)[999]
    sketch = Sketch(new.signatures[0], int(new.sizes[0]), 999)
    candidates = found.candidates(sketch)
    assert {*candidates.numbers.tolist()} == wanted
    assert candidates.n_equal.tolist() == sorted(candidates.n_equal.tolist(), reverse=True)


PART, SIZE, SHARES = 3, 9, likely_shares(8)

floors = st.sampled_from([0.0, 0.2, 0.5, 0.9])


@st.composite
def buckets(draw):
    """Draw a segment, some of whose texts are dead, the values of a signature, and some bands.

    Those are the wanted ones, and those that are common.
    """
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    everything = documents(random, draw(st.integers(1, 12 * STEP)), n_perm=8)
    segment = write_segment(None, "a", everything)
    gone = everything.take(random.random(everything.numbers.size) < draw(st.sampled_from([0, 0.5])))
    segment.bury_all([*map(Dead._make, zip(*(one.tolist() for one in gone[:3]), strict=True))])
    values = random.integers(0, 14, 8).astype(np.uint32)
    values[random.random(8) < 0.2] = 0xFFFFFFFF
    return segment, values, random.random(8) < 0.5, random.random(8) < 0.5


def told(segment, values):
    """Return the twin's bucket of each band."""
    return [
        reference.bucket(segment.documents.signatures.tolist(), segment.is_alive, band, value)
        for band, value in enumerate(values.tolist())
    ]


def outputs():
    """Return what kernels count and rank into."""
    shape = (8, N_ANCHORS)
    return np.zeros(8, np.int64), np.full(shape, -1), np.zeros(shape, np.uint64), np.full(shape, -1)


def ranked(found, segment):
    """Return what kernels should have ranked."""
    _, sizes, contents, _ = segment.documents
    _, *arrays = outputs()
    for band, bucket in enumerate(found):
        for i, d in enumerate(reference.anchors(bucket, sizes.tolist(), contents.tolist())):
            for array, value in zip(
                arrays, (sizes[d], contents[d], PART << PART_BITS | d), strict=True
            ):
                array[band, i] = value
    return [array.tolist() for array in arrays]


@given(buckets(), st.sampled_from([2, 5, 30]), floors)
def test_buckets_of_a_segment_are_those_of_the_twin(drawn, cap, floor):
    segment, values, is_wanted, is_common = drawn
    _, sizes, contents, signatures = segment.documents
    ends = np.empty((2, 8), np.int64)
    counts, *largest = outputs()
    keys = (sizes, contents, values, cap, PART, ends, counts)
    find_into(segment.orders, segment.fences, signatures, segment.is_alive, *keys, *largest)
    found = told(segment, values)
    anchors = some_anchors(found, cap)
    for order, start, end, bucket in zip(segment.orders, *ends, found, strict=True):
        assert [d for d in order[start:end].tolist() if segment.is_alive[d]] == bucket
    assert counts.tolist() == [min(len(bucket), cap + 1) for bucket in found]
    assert [array.tolist() for array in largest] == ranked(found, segment)
    room = (ends[1] - ends[0])[is_wanted].sum() + anchors.size
    places, n_equal = np.empty((2, room), np.int64)
    known = (segment.orders, ends, is_wanted, segment.is_alive, sizes, signatures, anchors)
    n = collect_into(*known, values, is_common, SIZE, SHARES, floor, places, n_equal)
    members = {d for bucket in compress(found, is_wanted) for d in bucket}
    wanted = reached(segment, members | {*anchors.tolist()}, values, is_common, floor)
    assert dict(zip(places[:n].tolist(), n_equal[:n].tolist(), strict=True)) == wanted
    assert n == len(wanted)


def reached(segment, some, values, is_common, floor):
    """Return those of some documents that may reach a floor, with what they share."""
    _, sizes, contents, signatures = (column.tolist() for column in segment.documents)
    signed = reference.Signed(signatures, sizes, contents)
    common = np.flatnonzero(is_common).tolist()
    return reference.shared_values(signed, some, values.tolist(), SIZE, floor=floor, common=common)


def some_anchors(found, n):
    """Return a few of the documents of buckets."""
    return np.array(sorted({d for bucket in found for d in bucket})[-n:], np.int64)


@given(buckets(), st.integers(1, 5), floors)
def test_buckets_of_a_tail_are_those_of_the_twin(drawn, n_anchors, floor):
    segment, values, is_wanted, is_common = drawn
    _, sizes, contents, signatures = segment.documents
    counts, *largest = outputs()
    hits = np.empty(len(segment), np.int64)
    keys = (segment.is_alive, sizes, contents, values, PART, counts)
    hits = hits[: scan_into(signatures, *keys, *largest, hits)]
    found = told(segment, values)
    assert counts.tolist() == [len(bucket) for bucket in found]
    assert [array.tolist() for array in largest] == ranked(found, segment)
    assert hits.tolist() == sorted({d for bucket in found for d in bucket})
    anchors = some_anchors(found, n_anchors)
    places, n_equal = np.empty((2, hits.size), np.int64)
    told_of = (values, is_common, SIZE, SHARES, floor)
    n = pick_into(hits, sizes, signatures, is_wanted, anchors, *told_of, places, n_equal)
    members = {d for bucket in compress(found, is_wanted) for d in bucket}
    wanted = reached(segment, members | {*anchors.tolist()}, values, is_common, floor)
    assert dict(zip(places[:n].tolist(), n_equal[:n].tolist(), strict=True)) == wanted


@given(buckets(), st.integers(1, 6), st.data())
def test_what_a_damaged_order_names_is_never_looked_at(drawn, n_damaged, data):
    """It is told, or what is found is in the segment."""
    segment, values, is_wanted, is_common = drawn
    _, sizes, contents, signatures = segment.documents
    orders, fences = segment.orders.copy(), segment.fences.copy()
    for array in (orders, fences):
        for _ in range(n_damaged):
            place = data.draw(st.integers(0, array.size - 1))
            array.flat[place] = data.draw(st.sampled_from([0, len(segment) - 1, 2**31, 2**32 - 1]))
    ends = np.full((2, 8), 7)
    counts, *largest = outputs()
    keys = (sizes, contents, values, 30, PART, ends, counts)
    told = find_into(orders, fences, signatures, segment.is_alive, *keys, *largest)
    assume(told != DAMAGED)
    assert (ends[0] >= 0).all()
    assert (ends[0] <= ends[1]).all()
    assert (ends[1] <= len(segment)).all()
    places, n_equal = np.empty((2, ends[1].sum()), np.int64)
    known = (orders, ends, is_wanted, segment.is_alive, sizes, signatures, np.empty(0, np.int64))
    n = collect_into(*known, values, is_common, SIZE, SHARES, 0.0, places, n_equal)
    assert n == DAMAGED or (places[:n] < len(segment)).all()


@given(st.lists(st.lists(st.booleans(), max_size=9), min_size=1, max_size=4), st.integers(1, 5))
def test_what_is_gathered_is_what_is_alive_in_all_parts(alive, at_once):
    random = np.random.default_rng(1)
    parts = [(documents(random, len(one)), np.array(one, np.bool_)) for one in alive]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "AT_ONCE", at_once)
        found = storage.gathered(parts)
    wanted = storage.joined([some.take(is_alive) for some, is_alive in parts])
    assert all(map(np.array_equal, found, wanted))
    assert [column.dtype for column in found] == [column.dtype for column in wanted]


@given(postings())
def test_what_is_alive_is_all_that_was_not_buried(drawn):
    found, everything = drawn
    assert sorted(found.living().numbers.tolist()) == everything.numbers.tolist()


def test_to_bury_twice_or_what_is_not_there_is_nothing():
    segment = write_segment(None, "a", documents(np.random.default_rng(1), 3 * STEP))
    number, size, content = (column[0] for column in segment.documents[:3])
    assert segment.bury(int(number), int(size), int(content))
    assert not segment.bury(int(number), int(size), int(content))
    assert not segment.bury(999, int(size), int(content))
    assert segment.n_dead == 1
    assert len(segment.living().numbers) == 3 * STEP - 1


@pytest.mark.parametrize("n", [3, 300])
def test_many_are_buried_as_one_by_one(n):
    everything = documents(np.random.default_rng(2), 1000)
    one, other = (write_segment(None, name, everything) for name in "ab")
    columns = (column[:n].tolist() for column in everything[:3])
    dead = [*map(Dead._make, zip(*columns, strict=True)), Dead(5000, 3, 3)]
    one.bury_all(dead)
    assert sum(other.bury(*each) for each in dead) == n == one.n_dead == other.n_dead
    assert one.is_alive.tolist() == other.is_alive.tolist()


def segment_of(n, n_dead=0):
    """Return a segment of so many texts, some of them dead."""
    everything = documents(np.random.default_rng(n), n)
    segment = write_segment(None, "a", everything)
    gone = zip(*(column[:n_dead].tolist() for column in everything[:3]), strict=True)
    segment.bury_all([*map(Dead._make, gone)])
    return segment


@pytest.mark.parametrize(
    ("segments", "n_tail", "wanted"),
    [
        ([], 7, None),
        ([], 8, ([], True)),
        ([(8, 2)], 0, None),
        ([(40, 0), (8, 3)], 8, ([1], False)),
        ([(40, 0), (8, 0)], 0, None),
        ([(40, 0), (9, 0), (8, 0)], 8, ([], True)),
        ([(40, 0), (9, 0), (8, 0)], 7, ([1, 2], False)),
        ([(40, 0), (33, 0), (9, 0), (8, 0)], 0, ([2, 3], False)),
    ],
)
def test_the_dead_go_first_then_the_tail_then_the_smallest(monkeypatch, segments, n_tail, wanted):
    monkeypatch.setattr(merging, "TAIL", 8)
    monkeypatch.setattr(merging, "FANOUT", 2)
    tail = Tail(16)
    tail.extend(documents(np.random.default_rng(1), n_tail))
    made = [segment_of(n, n_dead) for n, n_dead in segments]
    found = merging.due(Postings(made, tail, 30))
    assert found == (wanted and merging.Due([made[i] for i in wanted[0]], wanted[1]))


# --- epochs ---


@given(st.dictionaries(st.integers(0, 2**64 - 1), st.integers(2, 2**16 - 1), max_size=60))
def test_an_epoch_knows_what_it_was_told(counts):
    known = Boilerplate()
    shingles = np.array([*counts], np.uint64)
    known.watch(shingles, counts=np.array([*counts.values()], np.uint16))
    numbers, stories = np.array([7, 3]), np.array([1, 0])
    pairs = np.array([[7, 3], [9, 3], [3, 7], [9, 9]])
    companions = Companions.of(pairs, np.uint64([[70, 30], [10, 30], [30, 70], [10, 10]]))
    told = Knowledge(known.to_bytes(), numbers, stories, companions)
    epoch = write_epoch(None, "e", 1, 9, told)
    asked = np.append(shingles, np.uint64([0, 1, 2**64 - 1]))
    # One story is no boilerplate, even of a form.
    told = {one: n for one, n in counts.items() if n & 0x7FFF > 1}
    sealed = Sealed(asked, np.zeros(asked.size, np.uint32))
    assert epoch.counts(sealed).tolist() == [told.get(one, 0) for one in asked.tolist()]
    assert epoch.is_sound()
    alone, later = epoch.stories(np.array([3, 7, 5, 6, 10])).reshape(-1)[2:4], 10
    assert epoch.stories(np.array([3, 7, later, -1]))[:3].tolist() == [0, 1, -1]
    assert len({*alone.tolist()} - {0, 1}) == 2
    beside = {one: [*map(np.ndarray.tolist, epoch.companions(one))] for one in (3, 7, 8, 9)}
    assert beside == {3: [[9, 7], [10, 70]], 7: [[3], [30]], 8: [[], []], 9: [[3], [30]]}


def test_a_large_segment_goes_to_the_disk_as_it_is_written(tmp_path, monkeypatch):
    everything = documents(np.random.default_rng(1), 3 * STEP)
    whole = write_segment(tmp_path, "whole", everything)
    reached = []
    monkeypatch.setattr(storage.files.os, "fsync", lambda fd: reached.append(os.fstat(fd).st_size))
    monkeypatch.setattr(storage, "UNSETTLED", 1000)
    steps = write_segment(tmp_path, "steps", everything)
    assert steps.buffer[:] == whole.buffer[:]
    size, largest = len(steps.buffer), everything.signatures.nbytes
    assert reached.index(size) >= size // (1000 + largest)
    assert max(np.diff([0, *reached[: reached.index(size) + 1]])) < 1000 + largest


# Of some heads there are many, of others none.
crowded = st.integers(0, 2**64 - 1) | st.integers(0, 40) | st.integers(2**64 - 40, 2**64 - 1)


@given(
    st.dictionaries(crowded, st.integers(1, 2**16 - 1), max_size=80),
    st.lists(crowded, max_size=20),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_hashes_are_looked_up_as_in_a_mapping(told, strangers, bits, seal):
    hashes = np.array(sorted(told), np.uint64)
    counts = np.array([told[one] for one in sorted(told)], np.uint16)
    wanted = np.array([*told, *strangers], np.uint64)
    seals = np.full(wanted.size, seal, np.uint32)
    sealed = Sealed(Sealed(wanted, seals).public(), seals)
    heads = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    firsts = np.append(np.searchsorted(hashes, heads), hashes.size).astype(np.uint32)
    sieve, found = np.zeros(2 << bits, np.uint64), np.full(wanted.size, 7, np.uint16)
    sift_into(hashes, sieve)
    look_up_into(hashes, counts, firsts, sieve, *sealed, SALT, found)
    assert found.tolist() == reference.look_up(told, wanted.tolist())


counted = st.dictionaries(st.integers(0, 9), st.integers(0, 2**16 - 1))


@given(counted, st.lists(st.tuples(st.integers(0, 12), st.integers(1, 2**16 - 1))))
def test_counts_are_raised_as_those_of_a_mapping(counts, told):
    # What is said of a shingle twice is the same.
    told = [*dict(told).items()] * 2
    found = Boilerplate()
    found.watch(np.array([*counts], np.uint64), counts=np.array([*counts.values()], np.uint16))
    shingles = np.array([one for one, _ in told], np.uint64)
    least = np.array([n for _, n in told], np.uint16)
    found.raise_to(Sealed(shingles, np.zeros(shingles.size, np.uint32)), least)
    wanted = {one: n for one, n in reference.raised(counts, told).items() if n & 0x7FFF > 1}
    data, n = found.to_bytes(), len(wanted)
    shingles, least = np.frombuffer(data, "<u8", n), np.frombuffer(data, "<u2", offset=8 * n)
    assert dict(zip(shingles.tolist(), least.tolist(), strict=True)) == wanted


def test_what_is_known_raises_what_is_counted():
    one, other, third = np.arange(3, dtype=np.uint64) + 5
    seals = np.zeros(2, np.uint32)
    found = Boilerplate()
    found.watch(np.array([one, other]), counts=np.uint16([3, 9]))
    found.raise_to(Sealed(np.array([other, third]), seals), np.uint16([4, 1 << 15 | 6]))
    found.raise_to(Sealed(np.array([one]), seals[:1]), np.uint16([7]))
    weights = found.weights(np.array([one, other, third]), np.array([0, 3]), np.array([0, 3]))
    assert weights.tolist() == [np.float32(1 / 7), np.float32(1 / 9), np.float32(1 / 6)]
    found.raise_to(Sealed(np.empty(0, np.uint64), seals[:0]), np.empty(0, np.uint16))


# --- ids ---


@pytest.mark.parametrize("id_", ["a", 7, 7.5, b"x", ("a", 7), "\0", "é" * 300])
def test_ids_are_what_they_were(id_):
    found = id_from_row(key_of(id_), name_of(id_))
    assert found == id_
    assert type(found) is type(id_)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), (1.0, Decimal(2))),
        (Decimal("0.10"), Decimal("0.1")),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 2, tzinfo=timezone(2 * HOUR))),
    ],
)
def test_ids_that_are_equal_are_one(one, other):
    assert one == other
    assert key_of(one) == key_of(other)


def test_ids_that_differ_far_behind_the_point_are_two():
    assert key_of(Decimal("0." + "3" * 40)) != key_of(Decimal("0." + "3" * 39))


def test_ids_at_the_ends_of_what_can_be_written():
    assert key_of(datetime(1, 1, 1, tzinfo=timezone(14 * HOUR))) == "0001-01-01 00:00:00+14:00"
    with pytest.raises(InvalidInput, match="into a string"):
        checked_id(10**5000)
