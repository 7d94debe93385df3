"""`python -m benchmarks [QUESTION ...]`: runs the questions named, or all of them."""

import json
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import benchmarks
from benchmarks._measure import Measured, measure
from benchmarks._question import Question
from benchmarks._report import as_json, show, show_together


def questions() -> dict[str, Question]:
    """Every question of this folder, by name: one for each file that holds a `QUESTION`."""
    names = [name for _, name, _ in pkgutil.iter_modules(benchmarks.__path__) if name[0] != "_"]
    found = [import_module(f"benchmarks.{name}").QUESTION for name in names]
    return {question.name: question for question in found}


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Questions; all if none.")] = None,
    rounds: Annotated[int, typer.Option(help="Timed runs of every peer in a case.")] = 20,
    output: Annotated[Path | None, typer.Option("--json", help="Also write all as JSON.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Name the questions and end.")] = False,
) -> None:
    """Runs benchmarks: all peers of a question take turns in one run."""
    known = questions()
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        raise typer.BadParameter(f"no question {unknown[0]!r}; there are {', '.join(known)}")
    terminal = Console(highlight=False)
    # A pipe has no width of its own; at rich's default the last columns would be cut.
    console = terminal if terminal.is_terminal else Console(highlight=False, width=120)
    if only_list:
        for question in known.values():
            console.print(f"{question.name}: {question.text}")
        return
    results: list[Measured] = []
    for name in names or known:
        console.print(f"\n{known[name].text}")
        found = measure(known[name], rounds)
        if known[name].together:
            show_together(found, console)
        else:
            for measured in found:
                show(measured, console)
        results += found
    if output is not None:
        output.write_text(json.dumps(as_json(results), indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
