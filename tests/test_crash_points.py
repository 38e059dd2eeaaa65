"""The command is killed before some of its steps, and the next run finds all as it should be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).with_name("crash_points.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_killed_before_some_steps_and_run_again(tmp_path):
    command = [sys.executable, TOOL, "--quick"]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    n_steps, n_stops, n_wrong = map(int, ran.stdout.splitlines()[-1].split()[:3])
    # Steps that are not seen any more would be steps that are not tried.
    assert n_steps > 1000
    assert n_stops >= 40
    assert n_wrong == 0
    assert list(tmp_path.iterdir()) == []
