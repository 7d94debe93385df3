"""`everystep evaluate`: how well a tagger labels a corpus whose labels are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from everystep.cli.options import AsJson, Cache, CorpusLabel, CorpusReader, TaggerFile
from everystep.errors import SettingError

if TYPE_CHECKING:
    from everystep.drawing.figures import Figures


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
    bootstrap: Annotated[
        int,
        typer.Option(
            min=0, max=1_000_000, help="Draws of the sentences for 95 % intervals; 0 for none."
        ),
    ] = 1000,
    against: Annotated[
        Path | None, typer.Option(metavar="MODEL2", help="Say how much better MODEL is than this.")
    ] = None,
    as_json: AsJson = False,
    cache: Cache = True,
) -> None:
    """Measure a tagger: accuracy, also of unknown words, each label, and entities."""
    from everystep.cli.compiled import keep_compiled
    from everystep.cli.corpus_files import reader_of
    from everystep.cli.places import check_file
    from everystep.cli.showing import busy, columns
    from everystep.drawing.figures_picture import confusion_svg
    from everystep.tagging import Tagger

    if confusion is not None:
        check_file("--confusion", confusion, ".svg")
    if against is not None and not bootstrap:
        raise SettingError("--against needs --bootstrap of 1 or more")
    if cache:
        keep_compiled()
    tagger, other = Tagger.load(model), Tagger.load(against) if against else None
    chosen = reader_of(data, reader, label, tagger.record.get("data"))
    with busy(f"labelling {data}"):
        sentences = [one for one in chosen.read(data) if one.tokens]
        found = tagger.measure(sentences)
        compared = other.measure(sentences) if other else None
        report = dict(found.figures)
        if bootstrap:
            report["intervals"] = found.intervals(bootstrap)
        if compared:
            better = found.against(compared, bootstrap)
            report["against"] = {
                "model": str(against),
                "figures": compared.figures,
                "differences": {name: each._asdict() for name, each in better.items()},
            }
    if confusion is not None:
        confusion.write_text(confusion_svg(report["confusion"]), encoding="utf-8")
    typer.echo(json.dumps(report, ensure_ascii=False) if as_json else _text(report, columns()))


def _text(report: dict[str, Any], width: int) -> str:
    from everystep.drawing import differences_text, figures_text

    told = figures_text(cast("Figures", report), width, report.get("intervals"))
    if "against" in report:
        other = report["against"]
        table = differences_text(report, other["figures"], other["differences"], width)
        told += (
            f"\n\nHow much better than {other['model']} it is; p says how often chance alone makes "
            f"it so much better\n\n{table}"
        )
    return told
