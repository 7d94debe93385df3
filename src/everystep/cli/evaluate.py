"""`everystep evaluate`: how well a tagger labels a corpus whose labels are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from everystep.cli.options import AsJson, CorpusLabel, CorpusReader, TaggerFile


def evaluate(
    model: TaggerFile,
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="The labelled corpus; - reads a pipe.")
    ],
    reader: CorpusReader = None,
    label: CorpusLabel = None,
    confusion: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw which labels are confused.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a tagger: accuracy, also of unknown words, each label, and entities."""
    from everystep.cli.corpus_files import reader_of
    from everystep.cli.places import check_file
    from everystep.cli.showing import busy, columns
    from everystep.drawing.figures_picture import confusion_svg
    from everystep.drawing.figures_text import figures_text
    from everystep.tagging import Tagger

    if confusion is not None:
        check_file("--confusion", confusion, ".svg")
    tagger = Tagger.load(model)
    chosen = reader_of(data, reader, label, tagger.record.get("data"))
    with busy(f"labelling {data}"):
        figures: Any = tagger.evaluate(one for one in chosen.read(data) if one.tokens)
    if confusion is not None:
        confusion.write_text(confusion_svg(figures["confusion"]), encoding="utf-8")
    typer.echo(
        json.dumps(figures, ensure_ascii=False) if as_json else figures_text(figures, columns())
    )
