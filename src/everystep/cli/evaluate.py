"""`everystep evaluate`: how well a tagger labels a corpus whose labels are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from everystep.cli.options import (
    AsJson,
    Cache,
    Channels,
    CorpusLabel,
    CorpusReader,
    LabelChannel,
    Rate,
    SignalLabels,
    TaggerFile,
)
from everystep.errors import SettingError

if TYPE_CHECKING:
    from everystep.drawing.figures import Figures


def evaluate(
    model: TaggerFile,
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="The labelled corpus or signals; - reads a pipe.")
    ],
    reader: CorpusReader = None,
    label: CorpusLabel = None,
    labels: SignalLabels = None,
    label_channel: LabelChannel = None,
    channels: Channels = None,
    rate: Rate = None,
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
    """Measure a tagger: accuracy, also of unknown words, each label, entities and segments."""
    from everystep.cli.compiled import keep_compiled
    from everystep.cli.corpus_files import reader_of
    from everystep.cli.places import check_file
    from everystep.cli.showing import busy, columns
    from everystep.cli.signal_files import SignalFiles, refuse_options, split_names
    from everystep.cli.tagger_files import load_tagger
    from everystep.drawing.figures_picture import confusion_svg
    from everystep.formats.atomic import write_text_atomically
    from everystep.tagging import SignalTagger

    if confusion is not None:
        check_file("--confusion", confusion, ".svg")
    if against is not None and not bootstrap:
        raise SettingError("--against needs --bootstrap of 1 or more")
    if cache:
        keep_compiled()
    tagger, other = load_tagger(model), load_tagger(against) if against else None
    if other is not None and type(other) is not type(tagger):
        raise SettingError(f"--against {against}: does not label what {model} labels")
    known = tagger.record.get("data")
    of_signals_alone = {
        "--labels": labels,
        "--label-channel": label_channel,
        "--channels": channels,
        "--rate": rate,
    }
    given: list[Any]
    if isinstance(tagger, SignalTagger):
        tagger.check_rate(rate)
        told = {"label": label, "label_channel": label_channel, "channels": split_names(channels)}
        files = SignalFiles.of(data, reader, known, **told)
        given = list(files.read(data, labels, tagger.settings.ignore))
    else:
        refuse_options(of_signals_alone, f"{model} labels sentences")
        given = [one for one in reader_of(data, reader, label, known).read(data) if one.tokens]
    with busy(f"labelling {data}"):
        found = tagger.measure(given)
        compared = other.measure(given) if other else None
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
        write_text_atomically(confusion, confusion_svg(report["confusion"]))
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
