"""`everystep demo`: the main job from end to end, on source that every machine has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from everystep.cli.options import Cache
from everystep.cli.places import check_folder

if TYPE_CHECKING:
    from everystep.cli.demonstration.run import Narrator
    from everystep.cli.demonstration.settings import Settings
    from everystep.drawing.report import Report


def demo(
    out: Annotated[
        Path, typer.Option(help="Folder for the models, metrics.json and index.html.")
    ] = Path("everystep-demo"),
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Split, first weights and order.")
    ] = 0,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="Epochs for each model.")] = 3,
    steps: Annotated[
        int, typer.Option(min=1000, max=100_000_000, help="Most tokens to train on.")
    ] = 400_000,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print metrics.json, and nothing else.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page at the end.")] = False,
    cache: Cache = True,
) -> None:
    """Label every token of Python's standard library with its role: train two models and compare.

    Takes about a minute on two processor cores, and needs no network.
    """
    from everystep.cli.compiled import keep_compiled
    from everystep.cli.demonstration.settings import Settings

    if cache:
        keep_compiled()
    settings = Settings(seed=seed, epochs=epochs, steps=steps)
    demonstrate(settings, out, as_json=as_json, open_page=open_page)


def demonstrate(settings: Settings, out: Path, *, as_json: bool, open_page: bool) -> None:
    """Run the demonstration, tell it, and write its results.

    Args:
        settings: what to learn from, and how.
        out: the folder for the results; made if it is not there.
        as_json: whether to print the report instead of telling.
        open_page: whether to open the page in a browser.

    Raises:
        SettingError: the folder cannot be made or written to.
    """
    check_folder("--out", out)
    narrator = _narrator(as_json)
    from everystep.cli.demonstration.run import run

    report = run(settings, narrator, out)
    page = _write_results(report, out)
    if as_json:
        sys.stdout.write((out / "metrics.json").read_text(encoding="utf-8"))
    else:
        narrator.done(out, report["seconds"]["whole run"])
    if open_page:
        typer.launch(page.resolve().as_uri())


def _narrator(as_json: bool) -> Narrator:
    from everystep.cli.telling import Silent, Telling

    return Silent() if as_json else Telling()


def _write_results(report: Report, out: Path) -> Path:
    import json

    from everystep.drawing import demonstration_page
    from everystep.formats.atomic import write_text_atomically

    page = out / "index.html"
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    write_text_atomically(out / "metrics.json", f"{text}\n")
    write_text_atomically(page, demonstration_page(report))
    return page
