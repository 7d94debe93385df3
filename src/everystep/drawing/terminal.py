"""A demonstration's findings as tables and text for a terminal, or as plain text for a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from everystep.drawing.explained import Comparison
from everystep.drawing.explanation_text import comparison_text
from everystep.drawing.map_text import map_text
from everystep.drawing.reads import reads_of
from everystep.drawing.report import (
    Confusion,
    Corpus,
    Label,
    ModelResult,
    Parenthesis,
    SummaryLine,
)
from everystep.drawing.words import gain, most_helped, percent

if TYPE_CHECKING:
    from rich.console import RenderableType

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_BAR: Final = 10


def bar(share: float, width: int = _BAR) -> str:
    """Draw a share from 0 to 1 in block characters.

    >>> bar(0.5, 4), bar(0.53, 4), bar(1.0, 4)
    ('██  ', '██▏ ', '████')
    """
    whole, rest = divmod(round(share * width * 8), 8)
    return ("█" * whole + _EIGHTHS[rest].strip()).ljust(width)


def designs_text(found: Comparison, width: int) -> list[RenderableType]:
    """Draw the comparison of the five designs in lines of so many characters."""
    first = found["models"][0]["explained"]
    sizes = (
        f"{found['steps']} steps of {first['inputs'][0]['units']} features, "
        f"{first['outputs'][0]['units']} outputs each"
    )
    return [
        Text(f"One output for every step, five ways ({sizes})", style="bold"),
        Text(comparison_text(found, width=width)),
    ]


def corpus_table(found: Corpus) -> list[RenderableType]:
    """Draw the corpus and what labels without a model achieve."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("part, split by file")
    for heading in ("files", "sequences", "steps"):
        table.add_column(heading, justify="right")
    for part in found["parts"]:
        cells = (f"{part[key]:,}" for key in ("files", "sequences", "steps"))
        table.add_row(part["name"], *cells)
    lengths, base = found["lengths"], found["baselines"]
    return [
        Text(f"The corpus: {found['name']}", style="bold"),
        table,
        Text(
            f"{found['labels']} labels. Sequences have {lengths['shortest']} to "
            f"{lengths['longest']} steps, {lengths['median']} in the middle. "
            f"{found['vocabulary']:,} token ids; {percent(found['unknown'])} of the test tokens "
            "have none of their own."
        ),
        Text(
            f"Without a model: every step '{base['majority_label']}' is right for "
            f"{percent(base['majority'])} of the test steps, every token's most frequent label for "
            f"{percent(base['by_token'])}.\n"
        ),
    ]


def summary_table(title: str, layers: list[SummaryLine]) -> list[RenderableType]:
    """Draw a model's layers with their output shapes and parameters."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("layer")
    table.add_column("output shape")
    table.add_column("parameters", justify="right")
    for line in layers:
        cells = (f"{line['name']} ({line['kind']})", line["output_shape"])
        table.add_row(*cells, f"{line['parameters']:,}")
    total = sum(line["parameters"] for line in layers)
    return [Text(f"{title}: {total:,} parameters", style="bold"), table]


def score_tables(
    models: list[ModelResult], labels: list[Label], corpus: Corpus
) -> list[RenderableType]:
    """Draw test accuracy, overall and for each label, with bars."""
    overall = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    overall.add_column("accuracy on unseen files")
    overall.add_column("all steps", justify="right")
    overall.add_column("", no_wrap=True)
    overall.add_column("names only", justify="right")
    overall.add_column("training", justify="right")
    base = corpus["baselines"]
    for words, share in (
        (f"always '{base['majority_label']}'", base["majority"]),
        ("most frequent label of the token", base["by_token"]),
    ):
        overall.add_row(words, percent(share), Text(bar(share, 20), style="dim"), "", "")
    for model in models:
        overall.add_row(
            model["title"],
            percent(model["accuracy"]),
            Text(bar(model["accuracy"], 20), style="green"),
            percent(model["name_accuracy"]),
            f"{model['seconds']:.0f} s, {model['steps_per_second']:,.0f} steps/s",
        )
    return [Text("How well they do", style="bold"), overall, _label_table(labels), _helped(labels)]


def _label_table(labels: list[Label]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("label")
    for heading in ("steps", "majority", "by token", "forward"):
        table.add_column(heading, justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("both ways", justify="right")
    table.add_column("", no_wrap=True)
    for label in labels:
        table.add_row(
            label["name"],
            f"{label['steps']:,}",
            percent(label["majority"]),
            percent(label["by_token"]),
            percent(label["forward"]),
            Text(bar(label["forward"]), style="yellow"),
            percent(label["bidirectional"]),
            Text(bar(label["bidirectional"]), style="green"),
        )
    return table


def _helped(labels: list[Label]) -> Text:
    parts = [f"{label['name']} ({gain(label)})" for label in most_helped(labels)]
    return Text(f"Reading backward too helps most, in points: {', '.join(parts) or 'nothing'}.\n")


def parenthesis_text(found: Parenthesis, models: list[ModelResult]) -> list[RenderableType]:
    """Tell why the model that also reads backward is better, with cases from unseen files."""
    swap = found["swap"]
    counted = Text(
        f"The forward model takes {found['missed']:,} of {found['calls']:,} called names for "
        "something that is not called: when it reads the name, it has not seen the parenthesis "
        f"yet. The other has {found['mended']:,} of these {found['missed']:,} right.\n"
    )
    proof = Text(
        f"Proof: make that parenthesis a comma, once in each of {swap['tried']:,} sequences. What "
        f"is said of the name before it changes {swap['forward_changed']:,} times in the forward "
        f"model (largest difference of its outputs: {swap['forward_difference']:g}) and "
        f"{swap['bidirectional_changed']:,} times in the other.\n"
    )
    heading = Text("Why reading both ways wins", style="bold")
    maps = _maps(models)
    return [heading, counted, maps, _calls(found), proof, _confusions(found["confusions"])]


def _maps(models: list[ModelResult]) -> Table:
    """Draw which step of each model reads which, side by side."""
    table = Table.grid(padding=(0, 4, 0, 0))
    parts = []
    for model in models:
        lines = [line for each in model["explained"]["maps"] for line in map_text(each)]
        title = f"{model['title']}: a step reads {reads_of(model['explained'])}\n"
        parts.append(Text().append(title, style="bold").append("\n".join([*lines, ""])))
    table.add_row(*parts)
    return table


def _calls(found: Parenthesis) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("unseen source", "forward says", "both ways says", "where"):
        table.add_column(heading)
    for call in found["examples"]:
        source = Text(call["before"], no_wrap=True, overflow="ellipsis")
        source.append(call["text"], style="bold").append(call["after"], style="dim")
        source.truncate(44, overflow="ellipsis")
        table.add_row(
            source,
            Text(f"✗ {call['forward']}", style="red"),
            Text(f"✓ {call['bidirectional']}", style="green"),
            f"{call['path']}:{call['line']}",
        )
    return table


def _confusions(confusions: list[Confusion]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("is", "the forward model says"):
        table.add_column(heading)
    for heading in ("times", "both ways"):
        table.add_column(heading, justify="right")
    table.add_column("what stands next")
    for one in confusions:
        following = f"{one['next']} ({100 * one['next_share']:.0f} %)"
        counts = (f"{one['forward']:,}", f"{one['bidirectional']:,}")
        table.add_row(one["role"], one["said"], *counts, Text(following))
    return table
