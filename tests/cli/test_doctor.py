"""What the doctor says of a machine."""

import json
from typing import Any

import pytest

from everystep.cli import examination
from everystep.drawing import health_text
from everystep.kernels.extension import Extension, extension
from tests.cli.conftest import Command


def test_it_tells_what_it_finds_as_text_and_as_data(everystep: Command) -> None:
    told, data = everystep("doctor"), everystep("doctor", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    found = json.loads(data.stdout)
    assert [each["name"] for each in found["twins"]] == ["cudnn", "native", "xla"]
    assert found["twins"][-1]["runs"]
    for version in found["versions"].values():
        assert version in told.stdout
    assert ("avx512" in told.stdout) == ("avx512" in found["native"]["instructions"])


def test_instructions_that_are_not_there_are_wrong_use(
    everystep: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if extension().why_not:
        pytest.skip(f"no native twin: {extension().why_not}")
    monkeypatch.setenv("EVERYSTEP_PATH", "sse9")
    done = everystep("doctor")
    assert done.returncode == 2
    assert "EVERYSTEP_PATH must be one of" in done.stderr


def test_what_is_missing_has_a_reason_and_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        return Extension(None, "no C++ compiler was found")

    monkeypatch.setattr(examination, "extension", missing)
    monkeypatch.setattr("everystep.kernels.native.extension", missing)
    found = examination.examine()
    native = next(each for each in found["twins"] if each["name"] == "native")
    assert (native["runs"], native["why_not"]) == (False, "no C++ compiler was found")
    assert found["native"]["instructions"] == []
    text = health_text(found, 60)
    assert "install GCC or clang" in text
    assert all(len(line) <= 60 for line in text.split("\n"))
