"""The standard library of the running Python as a corpus in three parts, split by file."""

import os
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import Final

from everystep.corpora.python_source import LONGEST, SourceSequence, read_source_file
from everystep.errors import CorpusError, SettingError
from everystep.kinds import checked

# Patterns of folder and file names that are left out at any depth.
_LEFT_OUT: Final = (
    "site-packages",
    "dist-packages",
    "config-*",
    "__pycache__",
    "test",
    "tests",
    "idle_test",
    # Tables of data: thousands of strings in a row, which would flatter every score.
    "encodings",
    "pydoc_data",
    "_sysconfigdata*",
    # Gone from newer versions, and partly copies of other modules, which would leak.
    "distutils",
    "lib2to3",
)
_SHARES: Final = {"train": 8, "dev": 1, "test": 1}
_LARGEST_PART_OF_LIMIT: Final = 10


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a corpus.

    Args:
        files: the paths of its files, relative to the library, in the order in which they came.
        sequences: what was read from them.
    """

    files: tuple[str, ...]
    sequences: tuple[SourceSequence, ...]

    @property
    def steps(self) -> int:
        """How many steps the sequences have together."""
        return sum(map(len, self.sequences))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be read, and why: the message of the error."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourceCorpus:
    """Labelled source in three parts which share no file.

    Args:
        train: what a model learns from.
        dev: what decides between models and when to stop.
        test: what is scored once, in the end.
        skipped: the files that could not be read.
    """

    train: Split
    dev: Split
    test: Split
    skipped: tuple[Skipped, ...]


@checked
def standard_library_files(root: str | Path | None = None) -> list[str]:
    """List the modules of a standard library, without tests, data tables and installed packages.

    Args:
        root: the folder of the library; that of the running Python if None.

    Returns:
        Paths relative to the root, with forward slashes, in ascending order.

    Raises:
        CorpusError: the folder holds no module.

    >>> files = standard_library_files()
    >>> "argparse.py" in files, "json/decoder.py" in files, "encodings/utf_8.py" in files
    (True, True, False)
    """
    top = _root(root)
    found = []
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not _is_left_out(name)]
        wanted = (name for name in names if name.endswith(".py") and not _is_left_out(name))
        found += [Path(folder, name).relative_to(top).as_posix() for name in wanted]
    if not found:
        raise CorpusError(f"{top}: expected the modules of the standard library, found none")
    return sorted(found)


@checked
def split_of(path: str, seed: int = 0) -> str:
    """Tell which part of the corpus a file belongs to, from nothing but its path and the seed.

    Args:
        path: the path relative to the library, with forward slashes.
        seed: another seed gives another split.

    Returns:
        "train" for about 80 of 100 paths, else "dev" or "test".

    >>> split_of("argparse.py"), split_of("argparse.py", seed=4)
    ('train', 'train')
    """
    draw = _draw(path, seed) * sum(_SHARES.values())
    edges = accumulate(_SHARES.values())
    return next(name for name, edge in zip(_SHARES, edges, strict=True) if draw < edge)


@checked
def read_standard_library(
    *,
    limit: int | None = None,
    seed: int = 0,
    longest: int = LONGEST,
    root: str | Path | None = None,
) -> SourceCorpus:
    """Read the standard library of the running Python as labelled sequences.

    Which file goes where depends on its path and the seed only. With a limit, files are taken in
    an order that depends on the same two, so that the same machine gives the same corpus.

    Args:
        limit: most steps to train on; dev and test get an eighth of it each. No file may fill
            more than a tenth of its part: of a larger one every second, third ... sequence is
            taken. All files whole if None.
        seed: another seed gives another split and order.
        longest: most steps of a sequence.
        root: the folder of the library; that of the running Python if None.

    Returns:
        The corpus. Files that cannot be read are skipped, and listed with the reason.

    Raises:
        CorpusError: the folder holds no module.
        SettingError: `limit` or `longest` is below 1.

    >>> corpus = read_standard_library(limit=2000)
    >>> 1500 < corpus.train.steps <= 2000, corpus.test.steps <= 250
    (True, True)
    """
    if limit is not None and limit < 1:
        raise SettingError(f"limit: expected at least 1 step to train on, got {limit}")
    top = _root(root)
    shares: dict[str, list[str]] = {name: [] for name in _SHARES}
    for path in standard_library_files(top):
        shares[split_of(path, seed)].append(path)
    skipped: list[Skipped] = []
    splits = {}
    for name, paths in shares.items():
        most = None if limit is None else limit * _SHARES[name] // _SHARES["train"]
        ordered = sorted(paths, key=lambda path: _draw(path, seed)) if most is not None else paths
        splits[name] = _read_split(top, ordered, most, longest, skipped)
    return SourceCorpus(**splits, skipped=tuple(skipped))


def _read_split(
    top: Path, paths: Iterable[str], most: int | None, longest: int, skipped: list[Skipped]
) -> Split:
    files: list[str] = []
    taken: list[SourceSequence] = []
    room = most
    for path in paths:
        try:
            sequences = read_source_file(top / path, path, longest)
        except CorpusError as error:
            skipped.append(Skipped(path, str(error)))
            continue
        if most is None or room is None:
            fitting = sequences
        else:
            sequences = _thinned(sequences, most)
            fitting = _at_most(sequences, room)
            room -= sum(map(len, fitting))
        files.append(path)
        taken += fitting
        if len(fitting) < len(sequences):
            break
    return Split(tuple(files), tuple(taken))


def _thinned(sequences: list[SourceSequence], most: int) -> list[SourceSequence]:
    """Keep a large file from filling its part of the corpus: take evenly from all of it."""
    wanted = max(1, most // _LARGEST_PART_OF_LIMIT)
    stride = max(1, -(-sum(map(len, sequences)) // wanted))
    return sequences[::stride]


def _at_most(sequences: list[SourceSequence], steps: int) -> list[SourceSequence]:
    totals = accumulate(map(len, sequences))
    return sequences[: sum(total <= steps for total in totals)]


def _draw(path: str, seed: int) -> float:
    """Return a number from 0 to 1, the same on every machine."""
    digest = blake2b(f"{seed}/{path}".encode("utf-8", "surrogateescape"), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def _root(root: str | Path | None) -> Path:
    return Path(sysconfig.get_paths()["stdlib"] if root is None else root)


def _is_left_out(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in _LEFT_OUT)
