"""The tests in C++ beside this file, on the portable path, without Python.

`make sanitize` runs them on every path of the machine under sanitizers, which takes minutes.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{done.args}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_the_loop_the_stepper_functions_and_team_hold_without_python(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake, which builds the tests in C++")
    if not any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++")):
        pytest.skip("no C++ compiler")
    if not any(shutil.which(builder) for builder in ("make", "ninja")):
        pytest.skip("neither make nor ninja, which cmake builds with")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    run("cmake", "-S", HERE, "-B", tmp_path, *generator, "-DEVERYSTEP_PORTABLE_ONLY=ON")
    run("cmake", "--build", tmp_path, "--parallel", "2")
    told = run("ctest", "--test-dir", tmp_path, "--output-on-failure")
    assert "100% tests passed" in told
    assert "out of 4" in told
