"""Files cut off at every byte, and with a bit flipped in every byte, in every format.

What has a checksum of its own is refused. What has none may still be sane data, as half of a text
is; then it is read, and no error comes that is not for people. The container of our own files and
the archive of Keras have such tests in `tests/formats`.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from everystep.callbacks.checkpoints import newest
from everystep.errors import EverystepError
from everystep.formats import read_tensors
from everystep.formats.hdf5 import read_hdf5, write_hdf5
from tests.hostile.formats import FORMATS, OWN, TEXTS, packed

FOREIGN = [name for name in FORMATS if name not in (*OWN, "keras", "keras weights")]


def cuts(whole: bytes) -> Iterator[bytes]:
    for length in range(len(whole)):
        yield whole[:length]


def flips(whole: bytes) -> Iterator[bytes]:
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        yield bytes(flipped)


def ends(read: Any, path: Path, damaged: Iterator[bytes]) -> Counter[str]:
    """Count how reading ends; any error but ours is the caller's."""
    found: Counter[str] = Counter()
    for content in damaged:
        path.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # As of words that are there twice.
            try:
                read(path)
                end = "read"
            except EverystepError as error:
                end = "refused" if path.name in str(error) else f"nameless: {error}"
        found[end] += 1
    assert found.keys() <= {"read", "refused"}
    return found


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_others_are_refused_or_read(
    name: str, good: dict[str, bytes], folder: Path
) -> None:
    path, whole = folder / FORMATS[name].file, good[name]

    def read(path: Path) -> None:
        FORMATS[name].read(None, path)

    refused = ends(read, path, cuts(whole))["refused"]
    # Of text, half a file may be a whole one.
    assert refused > 0 if name in (*TEXTS, "settings") else refused == len(whole)
    assert sum(ends(read, path, flips(whole)).values()) == len(whole)
    if name in TEXTS:
        content = packed(whole)
        assert ends(read, path, cuts(content))["refused"] >= len(content) - 8
        # The time, the level and the system that a header of gzip has say nothing.
        assert ends(read, path, flips(content))["refused"] >= len(content) - 9
    path.write_bytes(whole)


def test_files_of_hdf5_are_refused_or_read(tmp_path: Path) -> None:
    """A flip in a number is sane; in an archive of Keras its checksum finds it."""
    weights = write_hdf5({"a": np.arange(3, dtype="float32")})
    path = tmp_path / "m.weights.h5"

    def read(path: Path) -> None:
        read_hdf5(io.BytesIO(path.read_bytes()), str(path))

    assert ends(read, path, cuts(weights)) == {"refused": len(weights)}
    assert ends(read, path, flips(weights))["refused"] > 0


def test_a_checkpoint_damaged_anywhere_gives_way_to_the_one_before(
    good: dict[str, bytes], tmp_path: Path
) -> None:
    older, damaged = tmp_path / "0000000003.checkpoint", tmp_path / "0000000007.checkpoint"
    older.write_bytes(good["checkpoint"])
    for content in (*cuts(good["checkpoint"]), *flips(good["checkpoint"])):
        damaged.write_bytes(content)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = newest(tmp_path)
        assert found is not None
        if found[0] == damaged:  # A space behind the header became another one.
            assert found[1].metadata == read_tensors(older).metadata
            continue
        assert found[0] == older
        assert len(told) == 1
        aside = tmp_path / f"{damaged.name}.damaged"
        assert aside.read_bytes() == content
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {older.name, f"{damaged.name}.damaged"}
