"""The application: its commands, and what becomes of errors."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer

from everystep.cli.compare import compare
from everystep.cli.demo import demo
from everystep.cli.doctor import doctor
from everystep.cli.evaluate import evaluate
from everystep.cli.explain import explain
from everystep.cli.info import info
from everystep.cli.predict import predict
from everystep.cli.train import train
from everystep.errors import EverystepError, SettingError, nearest

application = typer.Typer(
    name="everystep",
    help="Per-step models on sequences: learn from them, look into them, compare them.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Typer may bring its own copy of click or use an installed one: this is the class of either.
_COMMAND_LINE_ERROR: Any = typer.BadParameter.__mro__[2]

_INTERRUPTED, _TERMINATED = 130, 128 + signal.SIGTERM


def _show_version(wanted: bool) -> None:
    if wanted:
        from everystep import __version__

        typer.echo(f"everystep {__version__}")
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Per-step models on sequences: learn from them, look into them, compare them."""


for command in (demo, train, evaluate, predict, info, explain, compare, doctor):
    application.command()(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process.

    Args:
        arguments: what follows the name of the program; that of this process if None.

    Raises:
        SystemExit: always, with code 0, 1 for failed work, 2 for wrong use, 130 if interrupted by
            Ctrl-C, 143 if told to end by SIGTERM.

    >>> main(["--version"])
    Traceback (most recent call last):
    SystemExit: 0
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows another one instead of ending the work.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    with warnings.catch_warnings(), _heeding_sigterm():
        warnings.showwarning = _show_warning
        sys.exit(_exit_code(arguments))


@contextmanager
def _heeding_sigterm() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, with what it leaves in order and in words."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(_TERMINATED)

    ours = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    # Python lets the main thread alone listen.
    if not ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say a warning in one line, and leave out the line of code that it is about."""
    _complain(str(message), 0)


def _exit_code(arguments: list[str] | None) -> int:
    try:
        code: int = application(arguments, standalone_mode=False) or 0
        sys.stdout.flush()
        # Some versions of Typer give an interrupt this code, others raise an error.
        return _complain("interrupted", code) if code == _INTERRUPTED else code
    except _COMMAND_LINE_ERROR as error:
        return _complain(f"{_in_words(error)} See --help", error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", _INTERRUPTED)
    except SystemExit as ended:
        if ended.code != _TERMINATED:
            raise
        return _complain("terminated", _TERMINATED)
    except SettingError as error:
        return _complain(str(error), 2)
    except BrokenPipeError:
        # Nobody reads on, as in `everystep demo | head`.
        _drop_output()
        return 1
    except (EverystepError, OSError, MemoryError) as error:
        _drop_output()
        return _complain(str(error) or type(error).__name__, 1)


def _drop_output() -> None:
    """Keep the interpreter from writing once more, when it ends, what nobody takes."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _in_words(error: Any) -> str:
    """Return what is wrong with a command line, and which option was meant where one is near."""
    words = f"{error.format_message().rstrip('.')}."
    # Some versions of Typer say it themselves.
    option = getattr(error, "option_name", None)
    if option is None or "Did you mean" in words or error.ctx is None:
        return words
    known = [each for parameter in error.ctx.command.params for each in parameter.opts]
    return f"{words} {nearest(option, known)}".rstrip()


def _complain(message: str, code: int) -> int:
    typer.echo(f"everystep: {' '.join(message.split())}", err=True)
    return code
