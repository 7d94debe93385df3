"""`everystep train`: from a corpus to a tagger in one file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
)
from everystep.errors import SettingError

if TYPE_CHECKING:
    from everystep.cli.tasks import Run, Task


def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="TRAIN", help="The corpus or the signals to learn from; - reads a pipe."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file for the tagger, MODEL.everystep.")],
    dev: Annotated[
        str | None,
        typer.Option(help="Other data to measure on: the best epoch is kept, and training ends."),
    ] = None,
    reader: CorpusReader = None,
    label: CorpusLabel = None,
    labels: SignalLabels = None,
    dev_labels: Annotated[
        str | None, typer.Option(metavar="FILE.npy", help="The labels of --dev for signals.")
    ] = None,
    label_channel: LabelChannel = None,
    channels: Channels = None,
    rate: Rate = None,
    ignore: Annotated[
        int | None, typer.Option(metavar="N", help="The label of steps that have none; else 255.")
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Names of labels 0, 1, ...; 0 is the background."),
    ] = None,
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
    folds: Annotated[
        int | None,
        typer.Option(min=2, max=100, help="Train on all parts but one, and measure on that one."),
    ] = None,
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
    """Train a tagger on labelled sentences or signals, and write it into one file.

    Beside it stands MODEL.json: settings, seeds, versions, the learning curve and the scores. Until
    that is written, the folder MODEL.seedN.resume keeps how far training is; Ctrl-C ends it behind
    the step that runs. With --folds there are as many taggers, MODEL.foldN.everystep.
    """
    from everystep.cli.compiled import keep_compiled
    from everystep.cli.places import check_file
    from everystep.cli.signal_files import refuse_options, signals_reader, split_names
    from everystep.cli.tasks import of_sentences, of_signals
    from everystep.formats.atomic import write_text_atomically

    check_file("--out", out, ".everystep")
    check_file("--out", out.with_suffix(".json"))
    if curve is not None:
        check_file("--curve", curve, ".svg")
    of_signals_alone = {
        "--labels": labels,
        "--dev-labels": dev_labels,
        "--label-channel": label_channel,
        "--channels": channels,
        "--rate": rate,
        "--ignore": ignore,
        "--names": names,
    }
    kind = signals_reader(data, reader)
    if kind is None:
        refuse_options(
            of_signals_alone, f"{data} holds no signals; --reader csv or npy says it does"
        )
    else:
        refuse_options({"--vectors": vectors}, f"{data} holds signals, not sentences")
    if cache:
        keep_compiled()
    if kind is None:
        task = of_sentences(data, dev, reader, label, config, seed, vectors)
    else:
        task = of_signals(
            (data, labels),
            None if dev is None else (dev, dev_labels),
            kind,
            {"channels": split_names(channels), "label": label, "label_channel": label_channel},
            config,
            {"rate": rate, "ignore": ignore, "names": split_names(names), "seed": seed},
        )
    runs = list(task.runs(seeds, folds))
    states = [out.with_name(f"{out.stem}.{run.name}.resume") for run in runs]
    _look_for(states, resume)
    with _kept(states):
        trained = [
            _trained(task, run, state, 0 if as_json else 1)
            for run, state in zip(runs, states, strict=True)
        ]
        report = _saved(task, runs, trained, out)
        if curve is not None:
            write_text_atomically(curve, _curve(report))
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _tell(report, out)


def _trained(task: Task, run: Run, state: Path, verbose: int) -> Any:
    """Return the tagger of one run, what it did not see measured."""
    if verbose and run.left_out:
        typer.echo(f"\n{run.name}: {len(run.data)} to learn from, {len(run.left_out)} to measure")
    tagger = task.train(run.data, run.dev, run.settings, verbose, resume=state)
    tagger.record["data"] = task.source
    if run.left_out:
        unseen = [task.data[place] for place in run.left_out]
        measured = tagger.evaluate(unseen)
        tagger.record |= {"fold": run.name, "left_out": run.left_out, "measured": measured}
    return tagger


def _saved(task: Task, runs: list[Run], trained: list[Any], out: Path) -> dict[str, Any]:
    """Write the best tagger, or that of each fold, and the report, which is returned."""
    from everystep.tagging import over_runs
    from everystep.tagging.runs import flat

    records = [tagger.record for tagger in trained]
    in_folds = bool(runs[0].left_out)
    if in_folds:
        report = {key: records[0][key] for key in ("settings", "seed", "versions", "data")}
        report["folds"] = records
        measured = [record["measured"] for record in records]
        for run, tagger in zip(runs, trained, strict=True):
            tagger.save(out.with_name(f"{out.stem}.{run.name}.everystep"))
    else:
        best = max(trained, key=lambda tagger: _score(tagger.record))
        best.save(out)
        report = dict(best.record)
        if len(runs) > 1:
            report["runs"] = records
        measured = [record["dev"] for record in records if record["dev"] is not None]
    if len(runs) > 1:
        report["spread"] = over_runs(list(map(flat, measured))) if measured else None
    _write(out.with_suffix(".json"), report)
    return report


def _look_for(states: list[Path], resume: bool | None) -> None:
    """Make sure that it is wanted where an earlier training goes on, or is lost.

    Raises:
        SettingError: there is one, and nobody said what is to become of it.
    """
    found = _held(states)
    if found and resume is None:
        raise SettingError(
            f"{found[0]} keeps a training that was interrupted: --resume goes on with it, --anew "
            "removes it and starts once more"
        )
    if not resume:
        _remove(states)


def _held(states: list[Path]) -> list[Path]:
    """Return the folders that hold a training."""
    return [state for state in states if any(state.glob("*.checkpoint"))]


def _remove(states: list[Path]) -> None:
    for state in states:
        if state.exists():
            shutil.rmtree(state)


@contextmanager
def _kept(states: list[Path]) -> Iterator[None]:
    """Remove what keeps a training once all that follows from it is written, and not before."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, OSError, MemoryError):
        if found := list(map(str, _held(states))):
            typer.echo(f"--resume goes on from what is in {', '.join(found)}", err=True)
        raise
    _remove(states)


def _score(record: dict[str, Any]) -> float:
    """How good a run was on dev, by the figure that said which epoch is best; else the loss."""
    found, monitor = record["dev"], record["settings"].get("monitor", "accuracy")
    if found is None:
        return -float(record["curve"]["loss"][-1])
    if monitor == "auto":
        monitor = "accuracy" if found.get("entity_f1") is None else "entity_f1"
    return float(found.get(monitor) or 0)


def _write(path: Path, report: dict[str, Any]) -> None:
    from everystep.formats.atomic import write_text_atomically

    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    write_text_atomically(path, f"{text}\n")


def _curve(report: dict[str, Any]) -> str:
    from everystep.drawing.figures_picture import learning_svg

    shares = ("accuracy", "accuracy_unknown", "entity_f1")
    scores, losses = {}, {}
    for record in report.get("folds", [report]):
        before = f"{record['fold']} " if "fold" in record else ""
        for name, values in record["curve"].items():
            if name.endswith("loss"):
                losses[before + name] = values
            elif name.endswith(shares):
                scores[before + name] = values
    return learning_svg(scores, losses)


def _tell(report: dict[str, Any], out: Path) -> None:
    from everystep.cli.showing import columns
    from everystep.drawing.figures_text import figures_text, spread_text

    if report.get("dev") is not None:
        typer.echo(figures_text(report["dev"], columns()))
    if report.get("spread"):
        typer.echo(f"\n{spread_text(report['spread'], columns())}")
    told = f"{out.with_suffix('.json')} says how it went"
    if folds := report.get("folds"):
        seconds = sum(record["seconds"] for record in folds) / len(folds)
        typer.echo(
            f"\n{out.stem}.fold1.everystep to fold{len(folds)}: each measured on what it did not "
            f"see, {seconds:.0f} s each; {told}"
        )
        return
    epochs = len(report["curve"]["loss"])
    typer.echo(
        f"\n{out}: the weights after epoch {report['best_epoch']} of {epochs}, seed "
        f"{report['seed']}, {report['seconds']:.0f} s; {told}"
    )
