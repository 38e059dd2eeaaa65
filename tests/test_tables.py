"""Homes in hash tables: no choice of keys crowds them."""

import subprocess
import sys

import numpy as np
import pytest

from dedupe.kernels.tables import SALT, SECRET, home

N = 1 << 10

CHOSEN = {
    "one after the other": range(N),
    "the same low bits": range(0, N << 40, 1 << 40),
    "the same high bits": range(1 << 63, (1 << 63) + (N << 12), 1 << 12),
    "the same middle bits": [(i << 48) | (7 << 20) | (i & 0xFF) for i in range(N)],
}


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
