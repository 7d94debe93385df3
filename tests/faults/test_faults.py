"""Nothing is lost by a fault; `python -m tests.faults` makes more of them than there is time."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import everystep
from tests.faults.disk import Fault
from tests.faults.disks import survived
from tests.faults.table import IN_PROCESS, WITH_PROCESSES, as_json, made
from tests.faults.tally import Tally, expect
from tests.faults.writers import Writer

SOURCE = Path(everystep.__file__).parent
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", IN_PROCESS)
def test_nothing_is_lost(module: str) -> None:
    tallies = made(module, quick=True)
    assert [line for each in tallies for line in each.failures] == []
    assert all(each.tries or each.skipped for each in tallies)


def test_nothing_is_lost_with_the_process() -> None:
    command = [sys.executable, "-m", "tests.faults", *WITH_PROCESSES, "--quick", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert all(row["survived"] == row["tries"] > 0 for row in json.loads(ended.stdout))


def test_a_writer_in_place_does_not_survive() -> None:
    """That the tests of writers can fail: by torn files, parts left beside, and silence."""

    def in_place(path: Path, time: int) -> None:
        with path.open("w") as file:
            file.write(f"it is {time}")

    def beside(path: Path, time: int) -> None:
        part = path.with_suffix(".new")
        part.write_text(f"it is {time}")
        part.replace(path)

    def silent(path: Path, time: int) -> None:
        try:
            beside(path, time)
        except OSError:
            path.with_suffix(".new").unlink(missing_ok=True)

    def lost(writer: object, words: str) -> bool:
        def fail(call: str) -> None:
            raise OSError(28, "full")

        tally = survived(Fault("full", fail), (Writer("a.txt", writer),))  # type: ignore[arg-type]
        return any(words in line for line in tally.failures)

    assert lost(in_place, "is not what it was")
    assert lost(beside, "left beside: {'a.new'}")
    assert lost(silent, "nobody heard of the open that failed")


def test_tries_are_counted() -> None:
    tally = Tally("a fault")
    for number in range(3):
        with tally.trying(f"try {number}"):
            expect(number != 1, "lost")
    assert (tally.tries, tally.survived) == (3, 2)
    assert tally.failures == ["try 1: AssertionError: lost"]
    assert json.loads(as_json([tally]))[0]["survived"] == 2


WRITING = {
    "write_text",
    "write_bytes",
    "NamedTemporaryFile",
    "mkstemp",
    "savetxt",
    "savez",
    "tofile",
}
# What is no contents: a lock, whether a folder can be written to, a log that is started anew.
ALLOWED = {
    "formats/atomic.py": 3,
    "callbacks/checkpoints.py": 1,
    "callbacks/recording.py": 1,
}


def test_all_files_are_written_in_one_place() -> None:
    """What stands in `writers` is then all that a fault of the disk can meet."""
    found: dict[str, int] = {}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not any(f"{name}(" in text for name in (*WRITING, "open")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and _writes(node):
                name = path.relative_to(SOURCE).as_posix()
                found[name] = found.get(name, 0) + 1
    assert found == ALLOWED


def _writes(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    modes = [each.value for each in call.args if isinstance(each, ast.Constant)]
    modes += [each.value.value for each in call.keywords if isinstance(each.value, ast.Constant)]
    is_mode = any(
        isinstance(each, str) and set(each) & set("wax+") and len(each) < 4 for each in modes
    )
    return name in WRITING or (name == "open" and is_mode)
