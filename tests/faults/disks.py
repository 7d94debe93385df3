"""Every call that a writer makes fails once: its files are then whole, the old ones or the new."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.disk import FAULTS, Disk, Fault
from tests.faults.tally import Tally, expect
from tests.faults.writers import Writer, writers


class Files:
    """The files of one writer in a folder, as they were and as they are to be.

    Args:
        writer: the writer.
        folder: an empty folder.
    """

    def __init__(self, writer: Writer, folder: Path) -> None:
        self.writer, self.folder = writer, folder
        self.paths = writer.paths(folder)
        writer.write(self.paths[0], 1)
        self._old = [path.read_bytes() for path in self.paths]
        writer.write(self.paths[0], 2)
        self._new = [writer.read(path) for path in self.paths]

    def restore(self) -> None:
        """Put the old files back."""
        for path, contents in zip(self.paths, self._old, strict=True):
            path.write_bytes(contents)

    def write(self) -> None:
        """Write the new files."""
        self.writer.write(self.paths[0], 2)

    def are_whole(self, new: bool | None = None, torn_end: bool = False) -> None:
        """See to it that each file is the old or the new one, and nothing stands beside them.

        Args:
            new: whether they have to be the new ones; None where either will do.
            torn_end: whether the old one may have a part of what is new behind it.
        """
        for path, old, written in zip(self.paths, self._old, self._new, strict=True):
            is_old = path.read_bytes() == old
            expect(not (new and is_old), f"{path.name} is the old one still")
            expect(new is not False or is_old, f"{path.name} is not what it was")
            # A process that dies in the middle of a line cannot take it back.
            is_begun = torn_end and path.read_bytes().startswith(old)
            whole = is_old or is_begun or self.writer.read(path) == written
            expect(whole, f"{path.name} is torn")

    def stand_alone(self) -> None:
        """See to it that nothing was left beside them."""
        names = {path.name for path in self.folder.iterdir()}
        left = names - {path.name for path in self.paths}
        expect(not left, f"left beside: {left}")


def survived(fault: Fault, table: tuple[Writer, ...] | None = None) -> Tally:
    """Let each call of each writer fail in one way."""
    tally = Tally(f"{fault.name}, at a call of a writer")
    for writer in table or writers():
        with tempfile.TemporaryDirectory() as name:
            files = Files(writer, Path(name).resolve())
            tally.at_each_call(writer.name, partial(_failed, files, fault))
    return tally


def _failed(files: Files, fault: Fault, at: int) -> bool:
    """Write with one call that fails; return whether there was such a call."""
    files.restore()
    error: Any = None
    with Disk(files.folder, fault, at).misbehaving() as disk:
        try:
            files.write()
        except (OSError, KeyboardInterrupt) as raised:
            error = raised
    files.stand_alone()
    if not disk.failed:
        expect(error is None, f"{error!r} without a fault")
        files.are_whole(new=True)
        return False
    # A name that has been moved is not moved back.
    replaced = "replace" in disk.calls[: at - 1 + fault.late] or files.writer.grows
    files.are_whole(new=None if replaced else False)
    expect(error is not None, f"nobody heard of the {disk.failed[0]} that failed")
    if isinstance(error, OSError):
        expect(error.filename in map(str, files.paths), f"{error} names no file that was asked for")
    return True


def made(quick: bool) -> list[Tally]:
    """Make every fault at every writer; if it is to be quick, at every third one, in turn."""
    table, every = writers(), 3 if quick else 1
    return [survived(fault, table[first % every :: every]) for first, fault in enumerate(FAULTS)]
