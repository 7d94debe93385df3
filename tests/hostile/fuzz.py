"""Fuzzing, guided by what has run: every format, with its good file and all attacks to begin with.

python -m tests.hostile.fuzz [--minutes 2] [--format NAME ...] [--json]

Each format gets so many minutes, in a process of its own, with little memory and under watch. Only
Python is guided; crashes of native code are noticed. What is found is printed in base64: mend it,
and put it into `findings.py`, which continuous integration reads again.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS = 30
"""How long reading one file may take."""

LONGEST = 2**15
"""In bytes; how long the files become."""

GUIDED = (
    *(f"everystep.{room}" for room in ("callbacks", "cli", "core", "corpora", "formats", "models")),
    "everystep.tagging",
    *("conllu", "json", "numpy.lib.format", "tokenize", "tomllib", "zipfile"),
)
"""What is guided: the way from a file to a model."""

_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_REASON = re.compile(r"Uncaught Python exception.*|[^\n]*ERROR: libFuzzer[^\n]*", re.DOTALL)


class FoundError(Exception):
    """Reading did what it must not."""


def fuzz(format: str, folder: Path, minutes: float) -> None:
    """Fuzz one format; this ends the process."""
    import atheris

    with atheris.instrument_imports(include=list(GUIDED)):
        from everystep.errors import EverystepError
        from tests.hostile.formats import FORMATS, good_files, in_training
    from tests.hostile.attack import CASES
    from tests.hostile.guarded import OF_A_MODEL, Watch, digest, limit_memory
    from tests.hostile.matrix import attacks
    from tests.hostile.sealing import seeds_and_sealing

    good = good_files(folder)
    seeds, sealing = seeds_and_sealing(format, good[format])
    corpus = folder / "corpus"
    corpus.mkdir()
    # Bombs say little, and take long to be refused.
    others = [each for each in attacks() if each.format == format and CASES[each.case] != "a bomb"]
    made = [each.make(good[format]) for each in others]
    short = [each for each in made if len(each) <= LONGEST]
    for number, content in enumerate([*seeds, *short] if sealing is bytes else seeds):
        (corpus / str(number)).write_bytes(content)
    path = folder / FORMATS[format].file
    watch = Watch()

    def work(model: Any) -> None:
        FORMATS[format].read(model, path)
        kept = digest(model) if format in OF_A_MODEL else ""
        before = model.training_state()
        limit_memory()

        def one(content: bytes) -> None:
            path.write_bytes(sealing(content))
            try:
                with watch.on(format, path):
                    FORMATS[format].read(model, path)
                is_read = True
            except EverystepError as error:
                is_read = False
                if path.name not in str(error):
                    raise FoundError(f"a message that names no file: {error}") from error
            if watch.seen:
                raise FoundError(f"touched {watch.seen}")
            if kept and is_read:
                model.set_training_state(before)
            elif kept and digest(model) != kept:
                raise FoundError("a file that was refused has changed the training")

        warnings.simplefilter("ignore")
        atheris.Setup(
            [
                sys.argv[0],
                f"-max_total_time={int(minutes * 60)}",
                f"-timeout={SECONDS}",
                "-report_slow_units=3600",  # Slow ones are no findings, and are not written.
                f"-max_len={LONGEST}",
                "-rss_limit_mb=4096",
                "-print_final_stats=1",
                f"-artifact_prefix={folder}/found-",
                str(corpus),
            ],
            one,
        )
        atheris.Fuzz()

    in_training(work)


def fuzzed(format: str, minutes: float) -> dict[str, Any]:
    """Fuzz one format in a process of its own; say how often it was tried and what was found."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        command = [sys.executable, "-m", "tests.hostile.fuzz", "--minutes", str(minutes)]
        done = subprocess.run(
            [*command, "--in", folder, "--format", format],
            env={name: value for name, value in os.environ.items() if not name.startswith("JAX_")},
            capture_output=True,
            text=True,
        )
        executed = _EXECUTED.search(done.stderr)
        found = [each.read_bytes() for each in sorted(Path(folder).glob("found-*"))]
    if executed is None and not found:
        raise RuntimeError(f"{format}: fuzzing did not begin:\n{done.stderr[-2000:]}")
    tries = int(executed[1]) if executed else 1
    why = _REASON.search(done.stdout + done.stderr)
    return {
        "fault": f"{format}, fuzzed",
        "tries": tries,
        "survived": tries - len(found),
        "found": [base64.b64encode(each).decode() for each in found],
        "why": why[0][:2000] if why else "",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="for each format")
    parser.add_argument("--format", action="append", help="one format, which may come again")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--in", dest="folder", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.folder:
        fuzz(given.format[0], Path(given.folder), given.minutes)
    from tests.hostile.formats import FORMATS

    found = []
    for name in given.format or FORMATS:
        found.append(fuzzed(name, given.minutes))
        if not given.json:
            sys.stdout.write(f"{json.dumps(found[-1])}\n")
            sys.stdout.flush()
    if given.json:
        sys.stdout.write(json.dumps(found) + "\n")
    return 0 if all(each["tries"] == each["survived"] for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
