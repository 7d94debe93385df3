"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print plain data, and nothing else.")]
Svg = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write a picture; - for standard output.")
]
Html = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write a page that works from disk; - for standard output."),
]
OpenPage = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
Steps = Annotated[
    int | None, typer.Option(min=1, help="The number of steps, where any number will do.")
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE",
        help="What an input looks like, the batch axis first, as in None,4,3 or None,50:int32; "
        "once for each input.",
    ),
]
TaggerFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A tagger that `everystep train` wrote.")
]
CorpusReader = Annotated[
    str | None,
    typer.Option(
        "--reader",
        metavar="NAME",
        help="conllu, columns, jsonl, parquet, python or tokens; csv or npy for signals; if left "
        "out, by the file's name, or by the first lines of a pipe.",
    ),
]
CorpusLabel = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="NAME",
        help="Which labels of the corpus, such as upos or xpos of conllu, or a column of csv.",
    ),
]
Cache = Annotated[
    bool, typer.Option(help="Keep compiled programs in ~/.cache/everystep for the next run.")
]
SignalLabels = Annotated[
    str | None,
    typer.Option("--labels", metavar="FILE.npy", help="The labels of the signals of an array."),
]
LabelChannel = Annotated[
    int | None,
    typer.Option(
        "--label-channel",
        metavar="N",
        min=0,
        help="Whose labels, from 0, where each channel of an array has its own.",
    ),
]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels",
        metavar="A,B",
        help="Which channels of signals, numbers from 0 or names of columns; all, if left out.",
    ),
]
Rate = Annotated[
    float | None, typer.Option("--rate", metavar="HZ", help="Steps a second of signals.")
]
