"""`python -m benchmarks [QUESTION ...]`: runs the questions named, or all of them."""

import json
import pkgutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import benchmarks
from benchmarks._measure import Effort, Told, measure
from benchmarks._question import Question, Sizes
from benchmarks._report import show, show_together
from benchmarks._results import as_json, device, from_json
from benchmarks._targets import show_targets
from benchmarks._times import Measured


def questions() -> dict[str, Question]:
    """Every question of this folder, by name: one for each file that holds a `QUESTION`."""
    names = [name for _, name, _ in pkgutil.iter_modules(benchmarks.__path__) if name[0] != "_"]
    found = [import_module(f"benchmarks.{name}").QUESTION for name in names]
    return {question.name: question for question in found}


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Questions; all if none.")] = None,
    rounds: Annotated[int, typer.Option(help="Timed runs of every peer in a case.")] = 20,
    seconds: Annotated[
        float, typer.Option(help="After how long a case begins no new round, if 5 were run.")
    ] = 20.0,
    only: Annotated[
        list[str] | None, typer.Option(help="Cases of this size alone, as units=256.")
    ] = None,
    peer: Annotated[
        list[str] | None, typer.Option(help="Besides the first peer, those whose names begin so.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="Tiny sizes, 2 rounds: does all run?")] = False,
    output: Annotated[Path | None, typer.Option("--json", help="Also write all as JSON.")] = None,
    earlier: Annotated[
        list[Path] | None, typer.Option("--from", help="Show what such files hold, run nothing.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw time against size, as SVG in this folder.")
    ] = None,
    targets: Annotated[bool, typer.Option(help="Also say which targets are reached.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Name the questions and end.")] = False,
) -> None:
    """Runs benchmarks: all peers of a question take turns in one run."""
    known = questions()
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        raise typer.BadParameter(f"no question {unknown[0]!r}; there are {', '.join(known)}")
    terminal = Console(highlight=False)
    # A pipe has no width of its own; at rich's default the last columns would be cut.
    console = terminal if terminal.is_terminal else Console(highlight=False, width=160)
    chosen = [known[name] for name in names or known]
    if only_list:
        for question in chosen:
            console.print(f"{question.name}: {question.text}")
        return
    results: list[Measured] = []
    if earlier:
        results = [found for path in earlier for found in from_json(json.loads(path.read_text()))]
        for question in chosen:
            present(question, [one for one in results if one.question == question.name], console)
    else:
        console.print(f"JAX computes on: {device()}")
        effort = Effort(2, 0.0) if quick else Effort(rounds, seconds)
        for question in chosen:
            results += ask(question, effort, console, quick, only or [], peer or [])
            if output is not None:  # After each question, so that nothing is lost.
                output.parent.mkdir(parents=True, exist_ok=True)
                output.write_text(json.dumps(as_json(results), indent=2) + "\n")
    if plot is not None:
        draw(chosen, results, plot, console)
    if targets:
        console.print()
        show_targets(results, console)


def ask(
    question: Question,
    effort: Effort,
    console: Console,
    quick: bool,
    only: Sequence[str],
    peers: Sequence[str],
) -> list[Measured]:
    """Measures a question and prints what was found, case by case where it can."""
    reason = question.needs()
    cases = chosen_cases(question.quick_cases() if quick else question.cases, only)
    if reason or not cases:
        console.print(f"\n{question.text}\nleft out: {reason or 'no case has such sizes'}")
        return []
    asked = question.only(peers) if peers else question
    results: list[Measured] = []
    with telling(console) as told:
        for number, found in enumerate(measure(asked, cases, effort, told), 1):
            results.append(found)
            told(f"{question.name}: case {number} of {len(cases)} done")
            if not question.together:
                present(question, [found], console)
    if question.together:
        present(question, results, console)
    return results


def chosen_cases(cases: Sequence[Sizes], only: Sequence[str]) -> list[Sizes]:
    """The cases of which every one of the sizes named is as wanted; several of one name: either."""
    wanted: dict[str, set[str]] = {}
    for each in only:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"--only takes name=value, as units=256, not {each!r}")
        wanted.setdefault(name, set()).add(value)
    return [
        case
        for case in cases
        if all(str(case.get(name)) in values for name, values in wanted.items())
    ]


def present(question: Question, results: Sequence[Measured], console: Console) -> None:
    """Prints results of a question, in one table or one for each."""
    if question.together:
        show_together(results, console)
        return
    for measured in results:
        show(measured, console)


@contextmanager
def telling(console: Console) -> Iterator[Told]:
    """Gives a function that shows what is being done, on a terminal alone."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("starting") as status:
        yield status.update


def draw(
    chosen: Sequence[Question], results: Sequence[Measured], folder: Path, console: Console
) -> None:
    """Draws the questions that have a growing size into the folder."""
    from benchmarks._plot import plot

    folder.mkdir(parents=True, exist_ok=True)
    for question in chosen:
        own = [found for found in results if found.question == question.name]
        if question.growth and own:
            path = folder / f"{question.name}.svg"
            plot(question, own, path)
            console.print(f"drew {path}")


if __name__ == "__main__":
    typer.run(main)
