"""Hash tables: they hold what was put in and nothing else, and no choice of keys crowds them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.kernels.boilerplate import insert_into
from dedupe.kernels.tables import EMPTY, SALT, SECRET, SLOTS_PER_WORD, find, home, is_in

N = 1 << 10

CHOSEN = {
    "one after the other": range(N),
    "the same low bits": range(0, N << 40, 1 << 40),
    "the same high bits": range(1 << 63, (1 << 63) + (N << 12), 1 << 12),
    "the same middle bits": [(i << 48) | (7 << 20) | (i & 0xFF) for i in range(N)],
}


# Some share a bit of the sieve, some a slot; an empty slot holds 0, too.
keys = st.integers(0, 2**64 - 1) | st.integers(0, 12) | st.integers(0, 12).map(lambda n: n << 40)


@given(st.lists(keys, max_size=32), keys, st.integers(0, 2**63 - 1))
def test_a_table_holds_what_was_put_in_and_nothing_else(held, other, salt):
    salt, n_slots = np.uint64(2 * salt + 1), 64
    sieve = np.zeros(n_slots // SLOTS_PER_WORD, np.uint64)
    table, public = np.zeros((2, n_slots), np.uint64)
    counts, owners = np.zeros(n_slots, np.uint16), np.full(n_slots, EMPTY, np.int8)
    shingles, places = np.array(held, np.uint64), np.arange(len(held), dtype=np.uint16)
    n_new = insert_into(shingles, ~shingles, places, salt, sieve, table, counts, owners, public)
    assert n_new == len({*held})
    for key in {*held, other}:
        assert bool(is_in(np.uint64(key), salt, sieve, table, owners)) == (key in held)
        slot = find(np.uint64(key), salt, n_slots - 1, table, owners)
        assert (owners[slot] == EMPTY) == (key not in held)
        if key in held:
            # Of equal keys the first counts.
            assert (table[slot], public[slot]) == (key, ~np.uint64(key))
            assert counts[slot] == held.index(key)


@pytest.mark.parametrize("kind", CHOSEN)
@pytest.mark.parametrize(
    "salt", [SALT, np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)]
)
def test_chosen_keys_spread(kind, salt):
    """In four slots a key, at least half of the keys have a home that nobody else has."""
    homes = {home(np.uint64(key), salt, 4 * N - 1) for key in CHOSEN[kind]}
    assert len(homes) >= N // 2
    assert min(homes) >= 0
    assert max(homes) < 4 * N


def test_every_process_has_a_salt_of_its_own():
    program = "from dedupe.kernels.tables import SALT; print(SALT)"
    salts = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(salts) == 2
    assert all(int(salt) % 2 for salt in salts)


def test_processes_that_work_together_share_a_salt(monkeypatch):
    program = "from dedupe.kernels.tables import SALT; print(SALT)"
    monkeypatch.setenv(SECRET, "7e")
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert int(told) == 0x7F
