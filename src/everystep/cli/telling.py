"""The narrator of the demonstration: tables on a terminal, plain text in a pipe, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from everystep.drawing import terminal
from everystep.drawing.explained import Comparison
from everystep.drawing.report import (
    Corpus,
    Label,
    ModelResult,
    Parenthesis,
    Sample,
    SummaryLine,
)
from everystep.drawing.terminal_source import sample_text

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH_OF_PIPES: Final = 110


class Silent:
    """A narrator that says nothing."""

    verbose = 0

    def busy(self, words: str) -> None:
        """Say nothing."""

    def designs(self, found: Comparison) -> None:
        """Say nothing."""

    def corpus(self, found: Corpus) -> None:
        """Say nothing."""

    def model(self, title: str, layers: list[SummaryLine]) -> None:
        """Say nothing."""

    def scores(self, models: list[ModelResult], labels: list[Label], found: Corpus) -> None:
        """Say nothing."""

    def sample(self, found: Sample) -> None:
        """Say nothing."""

    def parenthesis(self, found: Parenthesis, models: list[ModelResult]) -> None:
        """Say nothing."""

    def done(self, out: Path, seconds: float) -> None:
        """Say nothing."""


class Telling(Silent):
    """A narrator that prints what it is told."""

    verbose = 1

    def __init__(self) -> None:
        console = Console(highlight=False, soft_wrap=False)
        width = None if console.is_terminal else _WIDTH_OF_PIPES
        self._console = Console(highlight=False, width=width)

    def _print(self, parts: Iterable[RenderableType]) -> None:
        for part in parts:
            self._console.print(part)

    def busy(self, words: str) -> None:
        """Say what takes a while now."""
        self._console.print(f"... {words}", style="dim")

    def designs(self, found: Comparison) -> None:
        """Print the five designs."""
        self._print(terminal.designs_text(found, self._console.width))

    def corpus(self, found: Corpus) -> None:
        """Print the corpus."""
        self._print(terminal.corpus_table(found))

    def model(self, title: str, layers: list[SummaryLine]) -> None:
        """Print a model's layers."""
        self._print(terminal.summary_table(title, layers))

    def scores(self, models: list[ModelResult], labels: list[Label], found: Corpus) -> None:
        """Print how well the models do."""
        self._console.print()
        self._print(terminal.score_tables(models, labels, found))

    def sample(self, found: Sample) -> None:
        """Print labelled source."""
        for part in sample_text(found):
            # A line of source is not broken, whatever the width.
            self._console.print(part, soft_wrap=True)

    def parenthesis(self, found: Parenthesis, models: list[ModelResult]) -> None:
        """Print why one model is better."""
        self._print(terminal.parenthesis_text(found, models))

    def done(self, out: Path, seconds: float) -> None:
        """Print what is where."""
        self._console.print(
            f"Done in {seconds:.0f} s. In {out}: index.html (this as a page), metrics.json, "
            "forward.everystep and bidirectional.everystep (es.load_model reads them)."
        )
