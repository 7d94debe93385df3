"""The folder for compiled programs: the user's own, or none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from everystep.cli.compiled import keep_compiled

# JAX does not say what types its configuration has.
configured: Any = jax.config.update


def folder_of_jax() -> Any:
    return getattr(jax.config, "jax_compilation_cache_dir")  # noqa: B009


@pytest.fixture(autouse=True)
def told_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let JAX know of no folder, and forget afterwards which one it got."""
    names = ["jax_compilation_cache_dir", "jax_enable_compilation_cache"]
    names.append("jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    configured("jax_enable_compilation_cache", True)
    configured("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        configured(name, value)


def test_it_is_made_for_the_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = keep_compiled()
    assert folder is not None
    assert folder.parent == tmp_path / "caches" / "everystep"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder_of_jax() == str(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("variable", [None, "not/absolute"])
def test_without_a_folder_for_caches_it_stands_in_the_home(
    variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if variable is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", variable)
    folder = keep_compiled()
    assert folder is not None
    assert folder.parent == tmp_path / ".cache" / "everystep"


def test_what_jax_was_told_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    configured("jax_compilation_cache_dir", "elsewhere")
    assert keep_compiled() is None
    assert folder_of_jax() == "elsewhere"
    configured("jax_compilation_cache_dir", None)
    configured("jax_enable_compilation_cache", False)
    assert keep_compiled() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("why", ["a file", "open to others"])
def test_where_it_cannot_be_the_reason_is_said_and_work_goes_on(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if why == "a file":
        (tmp_path / "everystep").write_text("in the way")
    else:
        (tmp_path / "everystep").mkdir()
        os.chmod(tmp_path / "everystep", 0o777)
    assert keep_compiled() is None
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("compiled programs are not kept") == 1
    assert str(tmp_path / "everystep") in shown.err
    assert folder_of_jax() is None
    assert float(jax.jit(lambda x: x + 1)(jnp.float32(1))) == 2.0
