"""A writer is killed between any two of its calls: its files are then whole, the old or the new."""

import faulthandler
import os
import signal
import tempfile
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

from everystep.formats.atomic import remove_parts
from tests.faults.disk import KILLED, Disk, Fault
from tests.faults.disks import Files
from tests.faults.tally import Tally, expect
from tests.faults.writers import Writer, writers

CASE = "killed between two calls of a writer"
SECONDS = 20
"""After so long a process that hangs says where, and is ended, which counts as lost."""


def survived(fault: Fault = KILLED, table: tuple[Writer, ...] | None = None) -> Tally:
    """Kill a process at each call of each writer, which it forks to run."""
    tally = Tally(CASE)
    for writer in table or writers():
        with tempfile.TemporaryDirectory() as name:
            files = Files(writer, Path(name).resolve())
            tally.at_each_call(writer.name, partial(_killed, files, fault))
    return tally


def _killed(files: Files, fault: Fault, at: int) -> bool:
    """Write in a process that is killed at a call; return whether there was such a call."""
    files.restore()
    if _ended(files, fault, at):
        files.are_whole(new=True)
        return False
    files.are_whole(torn_end=files.writer.grows)
    # What the dead one left is known by its name, and taken away.
    for path in files.paths:
        remove_parts(files.folder, path.name)
    files.stand_alone()
    return True


def _ended(files: Files, fault: Fault, at: int) -> bool:
    """Write in a process that is killed at a call; return whether it came to its end before."""
    with warnings.catch_warnings():
        # JAX warns of its threads, which the child does without: all has been computed.
        warnings.simplefilter("ignore")
        child = os.fork()
    if not child:
        code = 1
        try:
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            with Disk(files.folder, fault, at).misbehaving():
                files.write()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    expect(code in (0, -signal.SIGKILL), f"the child ended with {code}")
    return code == 0


def made(quick: bool) -> list[Tally]:
    """Kill every writer at every call, and in the middle of what it hands over."""
    shares = (1.0,) if quick else (1.0, 0.5, 0.1)
    tally = Tally(CASE)
    for share in shares:
        tally.add(survived(replace(KILLED, share=share)))
    return [tally]
