"""Attacks on the files of Keras: those that the tests of archives, HDF5 and configurations have."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from everystep.formats.hdf5 import read_hdf5, write_hdf5
from everystep.formats.keras_archive import KerasArchive, read_archive, write_archive
from tests.formats import test_hdf5, test_keras_archive
from tests.hostile.attack import WARNED, Attack, always, cut, flipped, made_by, with_text
from tests.hostile.own import OBJECTS, PICKLE
from tests.models import test_hostile_configurations

CONFIGURATIONS = {
    "deep": (8, ("too deep", "a little too deep", "a huge integer")),
    "text": (9, ("broken text",)),
    "twice": (6, ("a key twice",)),
    "climbing": (10, ("a name to climb by",)),
    "shape": (5, ("units of another shape", "units below zero")),
    "size": (12, ("units without bound",)),
    "places": (
        16,
        ("a vocabulary in a file", "a saved model elsewhere", "a setting that does not exist"),
    ),
}
"""The case of each configuration; all others name what is not registered, or are of no kind: 15."""

ARCHIVES = {
    "nothing": 1,
    "pickle": 14,
    "an array of NumPy": 14,
    "bytes before the archive": 4,
    "bytes after the archive": 4,
    "overlapping members": 4,
    "a member outside": 10,
    "an absolute member": 10,
    "a member on a drive": 10,
    "a name with NUL": 10,
    "a link": 11,
    "a folder": 11,
    "a member twice": 6,
    "a bomb": 12,
    "a long text": 12,
    "members without number": 12,
    "assets": 16,
}

LINKS = ("a link to another file", "a soft link", "a second name", "a circle")
HDF5 = {
    **dict.fromkeys(LINKS, 13),
    "storage in another file": 13,
    "a virtual array": 13,
    "a virtual array without end": 13,
    "more than was written": 5,
    "chunks": 12,
    "packed": 12,
    "no shape": 5,
    "groups without end": 8,
    "a name to climb by": 10,
}
"""The case of each file of HDF5; all others hold something else than numbers: 7."""


def case_of(configuration: str) -> int:
    found = [case for case, names in CONFIGURATIONS.values() if configuration in names]
    return found[0] if found else 15


def archived(change: Callable[[KerasArchive], KerasArchive]) -> Callable[[bytes], bytes]:
    """Change the members of an archive."""

    def make(good: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "m.keras")
            path.write_bytes(good)
            write_archive(path, change(read_archive(path)))
            return path.read_bytes()

    return make


def with_weights(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return archived(lambda archive: replace(archive, weights=change(archive.weights)))


def with_config(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    return archived(
        lambda archive: replace(
            archive, config=test_hostile_configurations.changed_text(archive.config, change)
        )
    )


def with_arrays(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Change the arrays of a file of HDF5."""

    def make(good: bytes) -> bytes:
        arrays = read_hdf5(io.BytesIO(good), "good")
        change(arrays)
        return write_hdf5(arrays)

    return make


KERNEL = "layers/dense/vars/0"


def kernel(value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda arrays: arrays.__setitem__(KERNEL, np.asarray(value))


def shared() -> bytes:
    contents = bytearray(write_hdf5({"a": np.full(64, 1.5), "b": np.full(64, 2.5)}))
    with h5py.File(io.BytesIO(contents)) as file:
        first, second = (file[name].id.get_offset().to_bytes(8, "little") for name in "ab")
    return bytes(contents).replace(second, first)


def many_groups(good: bytes) -> bytes:
    """Small groups, more than a file may have, which would each take memory."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="latest") as file:
        for number in range(500):
            file.create_group(f"{number}")
    return buffer.getvalue()


WEIGHTS: list[tuple[int, str, Callable[[bytes], bytes], str]] = [
    *[(1, f"{part} of it", cut(part), "") for part in (0, 7, 8, 100, 0.5, 0.99)],
    (3, "a size of the superblock", lambda good: good[:40] + b"\xff" * 8 + good[48:], ""),
    (4, "shared bytes", made_by(shared), "overlaps"),
    (5, "the model's turned", with_arrays(kernel(np.zeros((3, 2), "float32"))), "(3, 2)"),
    (5, "a scalar", with_arrays(kernel(np.float32(0))), "()"),
    (7, "another kind", with_arrays(kernel(np.zeros((2, 3), "int32"))), "int32"),
    (12, "groups without number", many_groups, "its weights are not"),
    (14, "pickle", always(PICKLE), "not HDF5"),
    (14, "objects", always(OBJECTS), "not HDF5"),
    (18, "missing", with_arrays(lambda arrays: arrays.pop(KERNEL)), f"file: '{KERNEL}"),
    (
        18,
        "extra",
        with_arrays(lambda arrays: arrays.__setitem__("layers/a/vars/0", np.zeros(3))),
        "model: 'layers/a/vars/0'",
    ),
]


def odd(name: bytes) -> bytes:
    made = test_hdf5.hostile(test_hdf5.odd_name(name))
    return made.replace(b"#" * len(name), name)


def keras_attacks() -> Iterator[Attack]:
    """All attacks on archives and HDF5, and configurations in both formats of models."""
    yield from _on_archives(test_keras_archive.ATTACKS)
    for case, what, make, says in WEIGHTS:
        yield Attack(case, "keras weights", what, make, says)
        # Bytes that are no HDF5 at all are so in an archive too.
        yield Attack(case, "keras", f"weights: {what}", with_weights(make), says)
    for what, (write, word) in test_hdf5.ATTACKS.items():
        case, made = HDF5.get(what, 7), made_by(test_hdf5.hostile, write)
        yield Attack(case, "keras weights", what, made, word)
        yield Attack(case, "keras", f"weights: {what}", with_weights(made), word)
    for raw in (b"../a", b"/abs", b"\xff\xfeab"):
        case = 9 if raw[0] > 127 else 10
        yield Attack(case, "keras weights", f"{raw!r}", made_by(odd, raw))
    for value in (np.nan, np.inf):
        for name, around in (("keras weights", lambda make: make), ("keras", with_weights)):
            made = around(with_arrays(kernel(np.full((2, 3), value, "float32"))))
            yield Attack(19, name, f"{value}", made, KERNEL, WARNED)
    yield from _on_configurations(test_hostile_configurations.ATTACKS)


def _on_archives(attacks: Mapping[str, tuple[Callable[[], bytes], str]]) -> Iterator[Attack]:
    for part in (0, 3, 100, 0.5, 0.999):
        yield Attack(1, "keras", f"{part} of it", cut(part))
    yield Attack(2, "keras", "in the weights", flipped(3000), "damaged")
    end = lambda good: good[:-10] + b"\xff" * 4 + good[-6:]  # noqa: E731
    yield Attack(3, "keras", "the list of members", end, "list of members")
    for what, (make, word) in attacks.items():
        yield Attack(ARCHIVES.get(what, 15), "keras", what, made_by(make), word)
    metadata = json.dumps({"keras_version": "4.0.0"}).encode()
    newer = archived(lambda archive: replace(archive, metadata=metadata))
    yield Attack(17, "keras", "of Keras 4", newer, "4.0.0")


def _on_configurations(attacks: Mapping[str, tuple[Callable[[Any], Any], str]]) -> Iterator[Attack]:
    for what, (change, word) in attacks.items():
        case = case_of(what)
        yield Attack(case, "keras", f"configuration: {what}", with_config(change), word)
        if what != "broken text":  # In our own format the configuration is text already.
            yield Attack(case, "model", f"configuration: {what}", with_text("config", change), word)
