"""Memory does not grow; `python -m tests.faults.flat_memory` tries it at length."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the size of a process")
def test_nothing_is_left_behind_however_often_it_is_done() -> None:
    command = [sys.executable, "-m", "tests.faults.flat_memory", "--times", "1000", "--short"]
    root = Path(__file__).parents[2]
    done = subprocess.run([*command, "--json"], cwd=root, stdout=subprocess.PIPE, check=False)
    grown = [each["fault"] for each in json.loads(done.stdout) if not each["survived"]]
    assert not grown
    assert done.returncode == 0
