"""A sample of source in a terminal: each token in the look of its label, wrong labels marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from everystep.drawing.looks import look_of
from everystep.drawing.report import Sample
from everystep.drawing.source import Line, lines_of, mistakes, pointing, said

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARKS: Final = {"bidirectional": ("^", "red", "both ways"), "forward": ("~", "yellow", "forward")}


def sample_text(sample: Sample) -> list[RenderableType]:
    """Draw a sample: the source as the bidirectional model labels it, then what is wrong in a line.

    Under a line, `^` marks what the bidirectional model has wrong, `~` what the forward model has.

    Args:
        sample: the source and what both models say.

    Returns:
        A heading and the text.
    """
    wrong = {model: len(mistakes(sample, model)) for model in _MARKS}
    steps = len(sample["tokens"])
    heading = Text("Unseen source", style="bold")
    heading.append(f", {sample['path']} from line {sample['line']}", style="not bold")
    told = Text(
        f"Of {steps} labels the forward model has {wrong['forward']} wrong (~), the other "
        f"{wrong['bidirectional']} (^). Chosen to show mistakes: most functions have fewer."
    )
    body = Text()
    for line in lines_of(sample):
        body.append_text(_source_line(line))
        for model in _MARKS:
            body.append_text(_mistakes_of(line, model))
    return [heading, told, body]


def _source_line(line: Line) -> Text:
    text = Text(f"{line.number:5} ", style="dim")
    for piece in line.pieces:
        if piece.token is None:
            text.append(piece.text)
            continue
        style = look_of(said(piece.token, "bidirectional")).terminal
        is_wrong = piece.token["bidirectional"] != piece.token["role"]
        text.append(piece.text, style=f"not dim {'underline red' if is_wrong else style}")
    return text.append("\n")


def _mistakes_of(line: Line, model: str) -> Text:
    symbol, style, title = _MARKS[model]
    text = Text()
    for piece in line.pieces:
        token = piece.token
        if token is None or not piece.first or said(token, model) == token["role"]:
            continue
        words = f"{title} says {said(token, model)}, is {token['role']}"
        text.append(f"      {pointing(piece, words, symbol * len(piece.text))}\n", style=style)
    return text
