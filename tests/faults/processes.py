"""Processes that are forked before JAX has threads: each costs what it computes, and no import."""

import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120
"""After so long a process that hangs says where, and is ended, which counts as lost."""


@dataclass
class Process:
    """A process that runs.

    Args:
        number: its number.
        hear: the handle of what it says.
    """

    number: int
    hear: int

    def read(self, size: int) -> bytes:
        """Return what it says next, up to so many bytes; nothing if it has ended."""
        return os.read(self.hear, size)

    def tell(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.number, number)

    def ended(self) -> tuple[int, bytes]:
        """Wait for its end; return its code, and all that it has still said."""
        with open(self.hear, "rb") as heard:
            said = heard.read()
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1]), said


def forked(work: Callable[[Callable[[bytes], object]], None], errors: Path) -> Process:
    """Run in a process that ends as one of Python's own does.

    Args:
        work: what it does; it is given what says something.
        errors: the file for its standard error.
    """
    hear, say = os.pipe()
    child = os.fork()
    if child:
        os.close(say)
        return Process(child, hear)
    code = 1
    try:
        os.close(hear)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), sys.stderr.fileno())
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        work(lambda words: os.write(say, words))
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except KeyboardInterrupt:
        # As the interpreter does, so that a shell sees that it was interrupted.
        traceback.print_exc()
        sys.stderr.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
