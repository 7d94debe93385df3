"""Draws time against the size that grows: a panel for each kind of work, a line for each peer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from benchmarks._question import Question
from benchmarks._times import Measured

# Ours stands out; the others are told apart by color and mark, for those who see no colors too.
OURS = "everystep"
STYLES = {
    "everystep": {"color": "#c2255c", "marker": "o"},
    "everystep xla": {"color": "#e599b4", "marker": "o"},
    "torch": {"color": "#1864ab", "marker": "s"},
    "torch compiled": {"color": "#74a9d8", "marker": "s"},
    "Keras on JAX": {"color": "#2b8a3e", "marker": "^"},
    "Keras on TensorFlow": {"color": "#74b816", "marker": "v"},
    "Keras on torch": {"color": "#a9c77b", "marker": "<"},
    "flax nnx": {"color": "#e67700", "marker": "D"},
    "equinox": {"color": "#f0b429", "marker": "d"},
    "plain scan": {"color": "#868e96", "marker": "x"},
}
OTHER = {"color": "#495057", "marker": "+"}
TEXT = {
    "svg.fonttype": "none",
    "svg.hashsalt": "everystep",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 10,
}
CEILING = "the fastest large product"


def plot(question: Question, results: Sequence[Measured], path: Path) -> None:
    """Writes one picture of a question.

    Args:
        question: what was asked; its `growth` is the axis.
        results: what was found, of this question alone.
        path: where to; its suffix says in which format.
    """
    rows = _kinds(results, "cell")
    columns = _kinds(results, "task")
    with mpl.rc_context(TEXT):
        figure = Figure(
            figsize=(2.3 + 3.6 * len(columns), 1.5 + 2.9 * len(rows)), facecolor="white"
        )
        axes = figure.subplots(len(rows), len(columns), squeeze=False, sharex=True)
        for row, cell in enumerate(rows):
            for column, task in enumerate(columns):
                own = [m for m in results if _kind(m, "cell") == cell and _kind(m, "task") == task]
                words = ", ".join(filter(None, (cell, _words(task)))) or question.name
                _panel(axes[row, column], question, own, words)
        for axis in axes[-1]:
            axis.set_xlabel(question.growth)
        for axis in axes[:, 0]:
            axis.set_ylabel("milliseconds, median")
        _legend(figure, axes)
        figure.suptitle(_title(results), fontsize=10, y=0.995)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _kind(measured: Measured, name: str) -> str:
    """What a case says of its kind of work; "" where it says nothing."""
    return str(measured.sizes.get(name, ""))


def _kinds(results: Sequence[Measured], name: str) -> list[str]:
    return list(dict.fromkeys(_kind(measured, name) for measured in results))


def _words(task: str) -> str:
    return {"gradients": "forward and backward"}.get(task, task)


def _title(results: Sequence[Measured]) -> str:
    sizes = results[0].sizes
    fixed = (f"{name} {sizes[name]}" for name in ("batch", "steps", "features") if name in sizes)
    return f"{', '.join(fixed)}; float32, both axes logarithmic"


def _panel(axis: Any, question: Question, results: Sequence[Measured], title: str) -> None:
    results = sorted(results, key=lambda measured: int(measured.sizes[question.growth]))
    sizes = [int(measured.sizes[question.growth]) for measured in results]
    peers = dict.fromkeys(times.peer for measured in results for times in measured.times)
    # Ours last, on top of the others.
    for peer in sorted(peers, key=lambda name: name == OURS):
        taken = [(n, m.of(peer)) for n, m in zip(sizes, results, strict=True)]
        points = [(size, times.median * 1e3) for size, times in taken if times is not None]
        axis.plot(
            *zip(*points, strict=True),
            label=peer,
            linewidth=2.4 if peer == OURS else 1.3,
            markersize=5.5 if peer == OURS else 4.5,
            **STYLES.get(peer, OTHER),
        )
    limits = [m.flops / m.gemm_rate * 1e3 for m in results if m.flops is not None]
    if len(limits) == len(sizes):
        axis.plot(sizes, limits, label=CEILING, color="black", linestyle=":", linewidth=1.2)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(FixedLocator(sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_title(title, fontsize=10)
    axis.grid(visible=True, which="major", color="#dee2e6", linewidth=0.8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _legend(figure: Figure, axes: Any) -> None:
    """One legend for all panels, at the right, in the order of the times at the largest size."""
    found: dict[str, Any] = {}
    for axis in axes.flat:
        for line in axis.get_lines():
            found.setdefault(line.get_label(), line)
    first = {line.get_label(): line.get_ydata()[-1] for line in axes.flat[0].get_lines()}
    order = sorted(found, key=lambda name: -first.get(name, 0.0))
    right = 2.3 / figure.get_figwidth()
    top = 1 - 0.3 / figure.get_figheight()
    figure.tight_layout(rect=(0, 0, 1 - right, top))
    figure.legend(
        [found[name] for name in order],
        order,
        loc="center left",
        bbox_to_anchor=(1 - right, 0.5),
        frameon=False,
        fontsize=9,
    )
