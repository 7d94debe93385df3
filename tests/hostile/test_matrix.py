"""Each case for each format: refused in words for people, in little memory, and nothing touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.attack import CASES, READ, REFUSED, Attack
from tests.hostile.formats import FORMATS, SIGNALS, SIGNALS_FILE, array, good_files
from tests.hostile.matrix import REASONS, attacks

ROOT = Path(__file__).parents[2]

ATTACKS = {each.id: each for each in attacks()}


def test_every_case_is_tried_on_every_format_or_has_a_reason() -> None:
    assert max(Counter(each.id for each in attacks()).values()) == 1
    tried = {(each.case, each.format) for each in ATTACKS.values()}
    excused = {
        (case, name)
        for reason, cases, names in REASONS
        for case in cases
        for name in names
        if reason
    }
    cells = {(case, name) for case in CASES if case for name in FORMATS}
    assert cells - tried - excused == set()
    assert excused <= cells


def run(folder: Path) -> dict[str, dict[str, Any]]:
    (folder / "made").mkdir()
    good = good_files(folder / "made")
    files = []
    for number, attack in enumerate(ATTACKS.values()):
        place = folder / str(number)
        place.mkdir()
        path = place / FORMATS[attack.format].file
        path.write_bytes(attack.make(good[attack.format]))
        (place / SIGNALS_FILE).write_bytes(array(SIGNALS))
        # Whoever opened what an attack points at would wait for ever.
        os.mkfifo(place / "secret")
        files.append((attack.id, attack.format, str(path)))
    (folder / "files.json").write_text(json.dumps(files))
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.guarded", str(folder / "files.json")],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("JAX_")},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {each["id"]: each for each in json.loads(done.stdout)}


def problems_of(attack: Attack, found: dict[str, Any]) -> list[str]:
    """Return what should not have come of an attack."""
    named = attack.ends == READ or (
        FORMATS[attack.format].file in found["said"] and attack.says in found["said"]
    )
    left = found["left"] if attack.ends == REFUSED else []
    return [
        *[f"ended as {found['ends']}"] * (found["ends"] != attack.ends),
        *[f"touched {each}" for each in found["touched"]],
        *[f"changed {each}" for each in left],
        *[f"said nothing of the file or of {attack.says!r}: {found['said']}"] * (not named),
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_comes_of_any_attack(tmp_path: Path) -> None:
    found = run(tmp_path)
    problems = {name: problems_of(each, found[name]) for name, each in ATTACKS.items()}
    assert {name: each for name, each in problems.items() if each} == {}
