"""HDF5 files of arrays: what comes back, and what a file may do to its reader."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest

from everystep.errors import FormatError
from everystep.formats.hdf5 import read_hdf5, write_hdf5
from everystep.formats.header import MOST_PARTS

Array = np.ndarray[Any, Any]

ARRAYS: dict[str, Array] = {
    "layers/dense/vars/0": np.arange(6, dtype="float32").reshape(2, 3) / 7,
    "layers/dense/vars/1": np.array([1, -2, 3], ml_dtypes.bfloat16),
    "optimizer/vars/0": np.array(5, "int64"),
    "none": np.zeros((0, 4), "float16"),
    "mask": np.array([True, False, True]),
    "turned": np.arange(24, dtype="float64").reshape(4, 6).T[::2],
}

NUMBERS = {name: array for name, array in ARRAYS.items() if array.dtype != ml_dtypes.bfloat16}


def read(contents: bytes) -> dict[str, Array]:
    return read_hdf5(io.BytesIO(contents), "a.weights.h5")


def assert_same(found: dict[str, Array], wanted: dict[str, Array]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_what_was_written_is_read() -> None:
    assert_same(read(write_hdf5(ARRAYS)), ARRAYS)


def test_same_contents_give_the_same_bytes() -> None:
    assert write_hdf5(ARRAYS) == write_hdf5(ARRAYS)


def test_another_reader_understands_the_file() -> None:
    with h5py.File(io.BytesIO(write_hdf5(ARRAYS))) as file:
        np.testing.assert_array_equal(file["layers/dense/vars/0"], ARRAYS["layers/dense/vars/0"])
        assert file["layers/dense/vars/1"].attrs["dtype"] == "bfloat16"


def test_every_version_of_the_format_is_read() -> None:
    for bounds in (("earliest", "v110"), ("v108", "v108"), ("latest", "latest")):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver=bounds) as file:
            for name, array in NUMBERS.items():
                file[name] = array
        numbers = {
            name: array for name, array in ARRAYS.items() if array.dtype != ml_dtypes.bfloat16
        }
        assert_same(read(buffer.getvalue()), numbers)


def test_what_could_not_be_read_is_not_written() -> None:
    for name, array, word in [
        ("../a", np.zeros(1), "name"),
        ("a", np.array(["word"]), "dtype"),
        ("a", np.zeros(2, "complex64"), "dtype"),
    ]:
        with pytest.raises(FormatError, match=word):
            write_hdf5({name: array})


# What a file may do to its reader.


def hostile(make: Callable[[h5py.File], Any]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/0"] = np.arange(6, dtype="float32").reshape(2, 3)
        make(file)
    return buffer.getvalue()


def outside(file: h5py.File) -> None:
    file.create_dataset("a", (4,), "f4", external=[("secret", 0, 16)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("secret", "a", (4,))
    file.create_virtual_dataset("a", layout)


def endless(file: h5py.File) -> None:
    """A virtual array whose length follows from how many other files there are."""
    layout = h5py.VirtualLayout((4,), "f4", maxshape=(None,))
    source = h5py.VirtualSource("secret", "a", (4,), maxshape=(None,))
    layout[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    file.create_virtual_dataset("a", layout)


def unwritten(file: h5py.File) -> None:
    """An array that promises much and of which nothing was ever written."""
    file.create_dataset("a", (2**20, 2**22), "f4")


def compact_links(file: h5py.File) -> None:
    group = file
    for _ in range(MOST_PARTS + 2):
        group = group.create_group("a")


def odd_name(name: bytes) -> Callable[[h5py.File], Any]:
    """A name that the library itself would not write, put in place of another."""
    return lambda file: file.create_dataset("#" * len(name), data=np.zeros(1))


ATTACKS: dict[str, tuple[Callable[[h5py.File], Any], str]] = {
    "a link to another file": (
        lambda f: f.__setitem__("a", h5py.ExternalLink("secret", "/a")),
        "link",
    ),
    "a soft link": (lambda f: f.__setitem__("a", h5py.SoftLink("/layers")), "link"),
    "a second name": (lambda f: f.__setitem__("a", f["layers/dense/vars/0"]), "another name"),
    "a circle": (lambda f: f.__setitem__("layers/a", f["layers"]), "another name"),
    "a type with a name": (lambda f: f.__setitem__("a", np.dtype("f4")), "neither"),
    "storage in another file": (outside, "another file"),
    "a virtual array": (virtual, "virtual"),
    "a virtual array without end": (endless, "virtual"),
    "more than was written": (unwritten, "takes"),
    "chunks": (lambda f: f.create_dataset("a", (4,), "f4", chunks=(2,)), "chunks"),
    "packed": (
        lambda f: f.create_dataset("a", (2**24,), "f4", chunks=(2**20,), compression="gzip"),
        "chunks",
    ),
    "no shape": (lambda f: f.__setitem__("a", h5py.Empty("f4")), "shape"),
    "text": (lambda f: f.__setitem__("a", "os.system"), "numbers"),
    "objects": (lambda f: f.create_dataset("a", (1,), h5py.ref_dtype), "numbers"),
    "arrays of any length": (
        lambda f: f.create_dataset("a", (1,), h5py.vlen_dtype("f4")),
        "numbers",
    ),
    "fields": (lambda f: f.__setitem__("a", np.zeros(1, [("x", "f4")])), "numbers"),
    "complex numbers": (lambda f: f.__setitem__("a", np.zeros(1, "c8")), "numbers"),
    "an enumeration": (
        lambda f: f.create_dataset("a", (1,), h5py.enum_dtype({"A": 0, "B": 1})),
        "numbers",
    ),
    "bytes of no meaning": (lambda f: f.__setitem__("a", np.zeros(1, "V3")), "numbers"),
    "groups without end": (compact_links, "64 parts"),
    "a name to climb by": (lambda f: f.__setitem__("a\\..\\b", np.zeros(1)), "name"),
}


@pytest.mark.parametrize("case", ATTACKS)
def test_hostile_files_are_refused(case: str) -> None:
    make, word = ATTACKS[case]
    contents = hostile(make)
    with pytest.raises(FormatError) as caught:
        read(contents)
    assert "a.weights.h5" in str(caught.value)
    assert word in str(caught.value)


@pytest.mark.parametrize("name", [b"../a", b"/abs", b"a\x01bc", b"\xff\xfeab", b"./ab"])
def test_names_that_the_library_would_not_write_are_refused(name: bytes) -> None:
    contents = hostile(odd_name(name))
    assert contents.count(b"#" * len(name)) == 1
    with pytest.raises(FormatError, match=r"a\.weights\.h5"):
        read(contents.replace(b"#" * len(name), name))


def test_arrays_that_share_their_bytes_are_refused() -> None:
    """A thousand arrays over the same bytes would make much of a small file."""
    contents = bytearray(write_hdf5({"a": np.full(64, 1.5), "b": np.full(64, 2.5)}))
    with h5py.File(io.BytesIO(contents)) as file:
        first, second = (file[name].id.get_offset().to_bytes(8, "little") for name in "ab")
    assert contents.count(second) == 1
    with pytest.raises(FormatError, match="overlaps"):
        read(bytes(contents).replace(second, first))
    beyond = len(contents).to_bytes(8, "little")
    with pytest.raises(FormatError, match=r"a\.weights\.h5"):
        read(bytes(contents).replace(second, beyond))


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\x80\x04\x95",
        b"PK\x03\x04" + bytes(40),
        b"\0" * 512 + b"\x89HDF\r\n\x1a\n",
        b"\0" * 64,
    ],
)
def test_files_of_other_kinds_are_refused(contents: bytes) -> None:
    with pytest.raises(FormatError, match="not HDF5"):
        read(contents)


def test_no_other_file_is_opened_and_nothing_large_is_made(tmp_path: Path) -> None:
    """The file that the attacks point at is a pipe: whoever opened it would wait for ever."""
    os.mkfifo(tmp_path / "secret")
    paths: list[Path] = []
    for make, _ in ATTACKS.values():
        paths.append(tmp_path / f"{len(paths)}.h5")
        paths[-1].write_bytes(hostile(make))
    assert run_reader(tmp_path, paths) == len(paths)


LIMITED = """
import resource, sys
import numpy, h5py
from everystep.errors import FormatError
from everystep.formats.hdf5 import read_hdf5
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, used + 2**27))
refused = 0
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        try:
            read_hdf5(file, path)
        except FormatError:
            refused += 1
print(refused)
"""


def run_reader(folder: Path, paths: list[Path]) -> int:
    """Read files in a process of their own with 128 MiB of memory to spend."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, paths)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return int(done.stdout)


def test_damaged_files_neither_crash_nor_fill_the_memory(tmp_path: Path) -> None:
    """Cut off at many places, and with single bits flipped in all that is not numbers."""
    whole = write_hdf5({"a/vars/0": np.arange(3, dtype="float32"), "b": np.array(1)})
    random = np.random.default_rng(3)
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    for place in range(0, len(whole), 3):
        bit = 1 << int(random.integers(8))
        damaged.append(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    paths = []
    for number, contents in enumerate(damaged):
        paths.append(tmp_path / f"{number}.h5")
        paths[-1].write_bytes(contents)
    refused = run_reader(tmp_path, paths)
    assert refused >= len(range(0, len(whole), 7))
