"""Makes the files of all attacks and lets a guarded process read them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.hostile.attack import READ, REFUSED, Attack
from tests.hostile.formats import FORMATS, SIGNALS, SIGNALS_FILE, array, good_files

ROOT = Path(__file__).parents[2]


def results_of(attacks: Iterable[Attack], folder: Path) -> dict[str, dict[str, Any]]:
    """Return for each attack how reading it ended, what was said, and what it touched."""
    (folder / "made").mkdir()
    good = good_files(folder / "made")
    files = []
    for number, attack in enumerate(attacks):
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
