"""`everystep info`: what a file holds, and how it came to be."""

from __future__ import annotations

import json
from typing import Any

import typer

from everystep.cli.options import AsJson, TaggerFile


def info(model: TaggerFile, as_json: AsJson = False) -> None:
    """Say what a tagger is: labels, sizes, settings, versions, and its scores on dev."""
    from everystep.cli.showing import columns
    from everystep.drawing.figures_text import figures_text
    from everystep.drawing.plain_table import plain_table
    from everystep.tagging import Tagger

    tagger = Tagger.load(model)
    if as_json:
        found = {"labels": tagger.labels, "parameters": tagger.parameters, **tagger.record}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    width = columns()
    typer.echo("\n".join(plain_table(("tagger", model.name), _lines(tagger), width)))
    if tagger.record.get("dev"):
        typer.echo(f"\nOn dev:\n{figures_text(tagger.record['dev'], width)}")


def _lines(tagger: Any) -> list[tuple[str, str]]:
    record = tagger.record
    lines = [
        ("labels", f"{len(tagger.labels)}: {' '.join(tagger.labels)}"),
        ("parameters", f"{tagger.parameters:,}"),
        ("settings", _pairs(record["settings"])),
        ("versions", _pairs(record["versions"])),
        ("trained on", f"{record['steps']:,} steps in {record['sentences']:,} sentences"),
        ("training", f"{record['seconds']:.0f} s, best after epoch {record['best_epoch']}"),
    ]
    if vectors := record.get("vectors"):
        covered = f"{vectors['kept']:,} of {vectors['words']:,}, {vectors['steps']:.1%} of steps"
        lines.insert(5, ("vectors", f"{vectors['file']} ({covered})"))
    if data := record.get("data"):
        label = f", label {data['label']}" if data["label"] else ""
        lines.insert(4, ("corpus", f"{data['train']} ({data['reader']}{label})"))
    return lines


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
