import errno
import os
import signal
import stat
import subprocess
import sys
import time
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from everystep.formats import read_tensors, write_atomically, write_tensors
from everystep.formats.atomic import make_folder

OLD = {"a": np.arange(3)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_tensors(tmp_path / "a.safetensors", OLD, {})
    return tmp_path / "a.safetensors"


def assert_old_is_kept(path: Path) -> None:
    np.testing.assert_array_equal(read_tensors(path).tensors["a"], OLD["a"])
    assert [other.name for other in path.parent.iterdir()] == [path.name]


def test_a_file_is_replaced(path: Path) -> None:
    write_tensors(path, {"a": np.arange(4)}, {})
    np.testing.assert_array_equal(read_tensors(path).tensors["a"], np.arange(4))
    assert [other.name for other in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_fault_of_the_disk_keeps_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=rf"{os.strerror(error)}: '.*/a\.safetensors'$"):
        write_tensors(path, {"a": np.arange(4)}, {})
    monkeypatch.undo()
    assert_old_is_kept(path)


def test_a_full_disk_in_the_middle_of_writing(path: Path) -> None:
    def write(file: BufferedIOBase) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match=r"full: '.*/a\.safetensors'$"):
        write_atomically(path, write)
    assert_old_is_kept(path)


def test_an_interrupt_in_the_middle_of_writing(path: Path) -> None:
    def write(file: BufferedIOBase) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, write)
    assert_old_is_kept(path)


def test_a_missing_folder_is_the_usual_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_tensors(tmp_path / "no" / "a.safetensors", OLD, {})


def test_contents_are_on_the_disk_before_the_name_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(handle: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def seen_replace(source: Any, target: Any) -> None:
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "replace", seen_replace)
    write_tensors(path, OLD, {})
    assert calls == ["file", "replace", "folder"]


def test_the_names_of_new_folders_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that nobody can find keeps nothing, however safe its files are."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    make_folder(tmp_path / "a" / "b" / "c")
    assert set(synced) == {(tmp_path / name).stat().st_ino for name in ("", "a", "a/b")}
    synced.clear()
    make_folder(tmp_path / "a" / "b")
    assert synced == []

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"full: '.*/d'$"):
        make_folder(tmp_path / "d")


def test_a_new_file_has_the_usual_mode(path: Path) -> None:
    plain = path.with_name("plain")
    plain.write_bytes(b"")
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_link_is_followed(path: Path) -> None:
    link = path.with_name("link.safetensors")
    link.symlink_to(path)
    write_tensors(link, {"a": np.arange(5)}, {})
    assert link.is_symlink()
    np.testing.assert_array_equal(read_tensors(path).tensors["a"], np.arange(5))


WRITER = """
import sys, numpy as np
from everystep.formats import write_tensors
number = 0
while True:
    number += 1
    write_tensors(sys.argv[1], {"a": np.full(300_000, number)}, {})
    if number == 1:
        print("ready", flush=True)
"""


def test_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for number in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.003 * number)
            writer.send_signal(signal.SIGKILL)
        values = read_tensors(path).tensors["a"]
        assert (values == values[0]).all()
