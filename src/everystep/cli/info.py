"""`everystep info`: what a file holds, and how it came to be."""

from __future__ import annotations

import json
from typing import Any

import typer

from everystep.cli.options import AsJson, TaggerFile
from everystep.errors import FormatError

_READ = ("label", "channels", "labels", "label_channel")
"""What else of how the data were read is told."""


def info(model: TaggerFile, as_json: AsJson = False) -> None:
    """Say what a tagger is: labels, sizes, settings, versions, and its scores on dev."""
    from everystep.cli.showing import columns
    from everystep.cli.tagger_files import load_tagger
    from everystep.drawing.figures_text import figures_text
    from everystep.drawing.plain_table import plain_table

    tagger = load_tagger(model)
    if as_json:
        found = {"labels": tagger.labels, "parameters": tagger.parameters, **tagger.record}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    width = columns()
    try:
        told = "\n".join(plain_table(("tagger", model.name), _lines(tagger), width))
        for name, words in (("dev", "On dev"), ("measured", "On the fold that it did not see")):
            if measured := tagger.record.get(name):
                told += f"\n\n{words}:\n{figures_text(measured, width)}"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{model}: its record of how it was trained is not one that everystep writes: "
            f"{type(error).__name__} {error}; --json shows it"
        ) from error
    typer.echo(told)


def _lines(tagger: Any) -> list[tuple[str, str]]:
    record = tagger.record
    lines = [
        ("labels", f"{len(tagger.labels)}: {' '.join(tagger.labels)}"),
        ("parameters", f"{tagger.parameters:,}"),
        ("settings", _pairs(record["settings"])),
        ("versions", _pairs(record["versions"])),
        ("trained on", f"{record['steps']:,} steps in {_many(record)}"),
        ("training", f"{record['seconds']:.0f} s, best after epoch {record['best_epoch']}"),
    ]
    if vectors := record.get("vectors"):
        covered = f"{vectors['kept']:,} of {vectors['words']:,}, {vectors['steps']:.1%} of steps"
        lines.insert(5, ("vectors", f"{vectors['file']} ({covered})"))
    if data := record.get("data"):
        read = {name: data[name] for name in _READ if data.get(name) is not None}
        lines.insert(
            4, ("corpus", f"{data['train']} ({_pairs({'reader': data['reader'], **read})})")
        )
    return lines


def _many(record: dict[str, Any]) -> str:
    kind = "sentences" if "sentences" in record else "signals"
    return f"{record[kind]:,} {kind}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
