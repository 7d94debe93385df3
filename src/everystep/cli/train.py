"""`everystep train`: from a corpus to a tagger in one file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from everystep.cli.options import AsJson, Cache, CorpusLabel, CorpusReader
from everystep.errors import SettingError

if TYPE_CHECKING:
    from everystep.corpora.sentences import Sentence
    from everystep.tagging import Settings, Tagger


def train(
    data: Annotated[
        str, typer.Argument(metavar="TRAIN", help="The corpus to learn from; - reads a pipe.")
    ],
    out: Annotated[Path, typer.Option(help="The file for the tagger, MODEL.everystep.")],
    dev: Annotated[
        str | None,
        typer.Option(help="A corpus to measure on: the best epoch is kept, and training ends."),
    ] = None,
    reader: CorpusReader = None,
    label: CorpusLabel = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Settings other than the defaults.")
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Word vectors as text, of word2vec, GloVe or fastText."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="First weights and order.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="Train so many times; the best is kept.")
    ] = 1,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--anew",
            show_default=False,
            help="Go on where the same command was interrupted, or start once more.",
        ),
    ] = None,
    curve: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw how training went.")
    ] = None,
    as_json: AsJson = False,
    cache: Cache = True,
) -> None:
    """Train a tagger on labelled sentences, and write it into one file.

    Beside it stands MODEL.json: settings, seeds, versions, the learning curve and the scores. Until
    that is written, MODEL.seedN.resume keeps what has been reached after each epoch.
    """
    from everystep.cli.compiled import keep_compiled
    from everystep.cli.places import check_file
    from everystep.tagging import Tagger

    check_file("--out", out, ".everystep")
    check_file("--out", out.with_suffix(".json"))
    if curve is not None:
        check_file("--curve", curve, ".svg")
    settings = _settings(config, seed)
    if cache:
        keep_compiled()
    sentences, source = _read(data, reader, label)
    measured = None if dev is None else _read(dev, reader or source["reader"], label)[0]
    verbose = 0 if as_json else 1
    states = [out.with_name(f"{out.stem}.seed{settings.seed + n}.resume") for n in range(seeds)]
    _look_for(states, resume)
    with _kept(states):
        runs = [
            Tagger.train(
                sentences,
                measured,
                replace(settings, seed=settings.seed + n),
                verbose,
                resume=state,
                vectors=vectors,
            )
            for n, state in enumerate(states)
        ]
        best = max(runs, key=lambda tagger: _score(tagger.record))
        report = _report(runs, best, {**source, "train": data, "dev": dev})
        best.record["data"] = report["data"]
        best.save(out)
        _write(out.with_suffix(".json"), report)
        if curve is not None:
            curve.write_text(_curve(best.record["curve"]), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _tell(report, out)


def _settings(config: Path | None, seed: int | None) -> Settings:
    """Return the settings of a TOML file, or the defaults.

    Raises:
        SettingError: the file cannot be read, is no TOML, or has a setting that does not exist.
    """
    from everystep.tagging import Settings

    given: dict[str, Any] = {}
    if config is not None:
        try:
            given = tomllib.loads(config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingError(f"--config {config}: cannot be read as TOML: {error}") from None
    try:
        return Settings.from_dict(given | ({} if seed is None else {"seed": seed}))
    except SettingError as error:
        raise SettingError(f"--config {config}: {error}") from None


def _read(
    path: str, reader: str | None, label: str | None
) -> tuple[list[Sentence], dict[str, Any]]:
    from everystep.cli.corpus_files import reader_of

    chosen = reader_of(path, reader, label)
    sentences = [sentence for sentence in chosen.read(path) if sentence.tokens]
    return sentences, {"reader": chosen.name, "label": label}


def _look_for(states: list[Path], resume: bool | None) -> None:
    """Make sure that it is wanted where an earlier training goes on, or is lost.

    Raises:
        SettingError: there is one, and nobody said what is to become of it.
    """
    found = [state for state in states if state.exists()]
    if found and resume is None:
        raise SettingError(
            f"{found[0]} keeps a training that was interrupted: --resume goes on with it, --anew "
            "removes it and starts once more"
        )
    if not resume:
        for state in found:
            state.unlink()


@contextmanager
def _kept(states: list[Path]) -> Iterator[None]:
    """Remove what keeps a training once all that follows from it is written, and not before."""
    try:
        yield
    except (KeyboardInterrupt, OSError, MemoryError):
        if found := [str(state) for state in states if state.exists()]:
            typer.echo(f"--resume goes on from the last epoch, in {', '.join(found)}", err=True)
        raise
    for state in states:
        state.unlink(missing_ok=True)


def _score(record: dict[str, Any]) -> float:
    """How good a run was on dev, by the figure that said which epoch is best; else the loss."""
    found, monitor = record["dev"], record["settings"]["monitor"]
    if found is None:
        return -float(record["curve"]["loss"][-1])
    if monitor == "auto":
        monitor = "accuracy" if found.get("entity_f1") is None else "entity_f1"
    return float(found.get(monitor) or 0)


def _report(runs: list[Tagger], best: Tagger, data: dict[str, Any]) -> dict[str, Any]:
    from everystep.tagging import over_runs

    found = {**best.record, "data": data}
    if len(runs) > 1:
        measured = [run.record["dev"] for run in runs if run.record["dev"] is not None]
        found["runs"] = [run.record for run in runs]
        found["spread"] = over_runs(measured) if measured else None
    return found


def _write(path: Path, report: dict[str, Any]) -> None:
    from everystep.formats.atomic import write_atomically

    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, lambda file: file.write(f"{text}\n".encode()))


def _curve(curve: dict[str, list[float]]) -> str:
    from everystep.drawing.figures_picture import learning_svg

    losses = {name: values for name, values in curve.items() if name.endswith("loss")}
    shares = ("accuracy", "accuracy_unknown", "entity_f1")
    scores = {name: values for name, values in curve.items() if name.endswith(shares)}
    return learning_svg(scores, losses)


def _tell(report: dict[str, Any], out: Path) -> None:
    from everystep.cli.showing import columns
    from everystep.drawing.figures_text import figures_text, spread_text

    if report["dev"] is not None:
        typer.echo(figures_text(report["dev"], columns()))
    if report.get("spread"):
        typer.echo(f"\n{spread_text(report['spread'], columns())}")
    epochs = len(report["curve"]["loss"])
    typer.echo(
        f"\n{out}: the weights after epoch {report['best_epoch']} of {epochs}, seed "
        f"{report['seed']}, {report['seconds']:.0f} s; {out.with_suffix('.json')} says how it went"
    )
