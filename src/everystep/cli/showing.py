"""What commands that report do with what they found: text, plain data, pictures and pages."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import typer

from everystep.cli.places import check_file
from everystep.errors import SettingError
from everystep.formats.atomic import write_text_atomically

STANDARD_OUTPUT = "-"
"""The name of a file that stands for standard output."""

_WIDTH_OF_PIPES = 110


class Report(Protocol):
    """What was found, and can be shown in four ways."""

    def to_text(self, width: int, encoding: str) -> str:
        """Draw it in characters, so many a line, that an encoding has."""

    def to_json(self) -> str:
        """Write its plain data."""

    def to_svg(self) -> str:
        """Draw it as one picture."""

    def to_html(self) -> str:
        """Draw it as a page."""


@dataclass(frozen=True)
class Wanted:
    """What a command line wants to see.

    Args:
        as_json: whether to print plain data instead of text.
        svg: the file for the picture, `-` for standard output, None for no picture.
        html: the same for the page.
        open_page: whether to open the page in a browser.
        encoding: what standard output can show.

    Raises:
        SettingError: two of them would be printed, or there is no place for a file; so it is known
            before the work begins.
    """

    as_json: bool
    svg: str | None
    html: str | None
    open_page: bool
    # Code that is run later may have another standard output.
    encoding: str = field(default_factory=lambda: sys.stdout.encoding)

    def __post_init__(self) -> None:
        printed = [
            option
            for option, is_printed in (
                ("--json", self.as_json),
                ("--svg -", self.svg == STANDARD_OUTPUT),
                ("--html -", self.html == STANDARD_OUTPUT),
            )
            if is_printed
        ]
        if len(printed) > 1:
            raise SettingError(f"{' and '.join(printed)} cannot both be printed: name a file")
        for option, file in (("--svg", self.svg), ("--html", self.html)):
            if file not in (None, STANDARD_OUTPUT):
                check_file(option, Path(str(file)))

    def drawn(self, report: Report) -> Drawn:
        """Draw what is wanted. A report works much out only now, so this may take its time.

        Args:
            report: what was found.
        """
        texts = []
        if self.as_json:
            texts.append((STANDARD_OUTPUT, report.to_json()))
        elif STANDARD_OUTPUT not in (self.svg, self.html):
            texts.append((STANDARD_OUTPUT, report.to_text(columns(), self.encoding)))
        if self.svg is not None:
            texts.append((self.svg, report.to_svg()))
        if self.html is None and not self.open_page:
            return Drawn(texts)
        page = report.to_html()
        if self.html is not None:
            texts.append((self.html, page))
        in_file = self.html not in (None, STANDARD_OUTPUT)
        return Drawn(texts, page if self.open_page else None, self.html if in_file else None)


@dataclass(frozen=True)
class Drawn:
    """What was wanted.

    Args:
        texts: each text with the file that it belongs into.
        opened: the page that is to be opened, or None.
        file: the file of that page, if it was given one.
    """

    texts: list[tuple[str, str]]
    opened: str | None = None
    file: str | None = None

    def give(self) -> None:
        """Print and write the texts, and open the page.

        Raises:
            OSError: a file cannot be written.
        """
        for file, text in self.texts:
            if file == STANDARD_OUTPUT:
                typer.echo(text.rstrip("\n"))
            else:
                write_text_atomically(file, text)
        if self.opened is not None:
            page = _kept(self.opened) if self.file is None else Path(self.file)
            typer.launch(page.resolve().as_uri())


def columns() -> int:
    """Return how many characters a line of standard output may have."""
    return shutil.get_terminal_size(fallback=(_WIDTH_OF_PIPES, 0)).columns


def _kept(page: str) -> Path:
    """Write a page into a file that stays when the command has ended."""
    folder = Path(tempfile.mkdtemp(prefix="everystep-"))
    try:
        write_text_atomically(folder / "page.html", page)
    except OSError:
        folder.rmdir()
        raise
    return folder / "page.html"


@contextlib.contextmanager
def busy(words: str) -> Iterator[None]:
    """Say on a terminal what takes a while now, and nothing in a pipe.

    Args:
        words: what is being done.
    """
    from rich.console import Console

    with Console(file=sys.stderr, highlight=False).status(words):
        yield
