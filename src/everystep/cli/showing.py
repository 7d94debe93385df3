"""What commands that report do with what they found: text, plain data, pictures and pages."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from everystep.errors import SettingError

STANDARD_OUTPUT = "-"
"""The name of a file that stands for standard output."""


class Report(Protocol):
    """What was found, and can be shown in four ways."""

    def to_text(self) -> str:
        """Draw it in characters."""

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

    Raises:
        SettingError: two of them would be printed, or there is no place for a file; so it is known
            before the work begins.
    """

    as_json: bool
    svg: str | None
    html: str | None
    open_page: bool

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
                _check_place(option, Path(str(file)))

    def show(self, report: Report) -> None:
        """Print and write what is wanted, and open the page where that is wanted.

        Args:
            report: what was found.

        Raises:
            OSError: a file cannot be written.
        """
        if self.as_json:
            typer.echo(report.to_json())
        elif STANDARD_OUTPUT not in (self.svg, self.html):
            typer.echo(report.to_text().rstrip("\n"))
        if self.svg is not None:
            _give(report.to_svg(), self.svg)
        if self.html is not None or self.open_page:
            page = report.to_html()
            if self.html is not None:
                _give(page, self.html)
            if self.open_page:
                typer.launch(_page_of(page, self.html).resolve().as_uri())


def _check_place(option: str, file: Path) -> None:
    if file.is_dir():
        raise SettingError(f"{option} {file}: is a folder: name a file")
    if not file.absolute().parent.is_dir():
        raise SettingError(f"{option} {file}: there is no folder {file.parent}")


def _give(text: str, file: str) -> None:
    if file == STANDARD_OUTPUT:
        typer.echo(text.rstrip("\n"))
    else:
        Path(file).write_text(text, encoding="utf-8")


def _page_of(page: str, file: str | None) -> Path:
    """Return a file that holds the page and stays when the command has ended."""
    if file not in (None, STANDARD_OUTPUT):
        return Path(str(file))
    with tempfile.NamedTemporaryFile(
        "w", prefix="everystep-", suffix=".html", encoding="utf-8", delete=False
    ) as kept:
        kept.write(page)
    return Path(kept.name)


@contextlib.contextmanager
def busy(words: str) -> Iterator[None]:
    """Say on a terminal what takes a while now, and nothing in a pipe.

    Args:
        words: what is being done.
    """
    from rich.console import Console

    with Console(file=sys.stderr, highlight=False).status(words):
        yield
