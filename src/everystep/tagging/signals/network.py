"""The network of a tagger of signals: convolutions, a recurrent stack, scores for each step."""

from __future__ import annotations

from everystep.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Conv1D,
    Dense,
    Dropout,
    Input,
    Layer,
    Reshape,
    TimeDistributed,
)
from everystep.models import Sequential
from everystep.tagging.signals.settings import SignalSettings


class Network(Sequential):
    """Folded steps to a score for each label at each of the steps that are folded.

    Shapes: (rows, folds, fold * channels) -> (rows, folds, fold, labels)

    Args:
        settings: the sizes.
        channels: how many channels signals have.
        labels: how many labels there are.
    """

    def __init__(self, settings: SignalSettings, channels: int, labels: int) -> None:
        front = [window(settings, number) for number in range(settings.convolutions)]
        stack: list[Layer] = []
        for number in range(settings.layers):
            stack += [reader(settings, number), Dropout(settings.dropout, name=f"dropout_{number}")]
        super().__init__(
            [
                Input((None, settings.fold * channels)),
                *front,
                *stack,
                Dense(settings.fold * labels, name="scores"),
                TimeDistributed(Reshape((settings.fold, labels)), name="unfolded"),
            ],
            name="signal_tagger",
        )


def window(settings: SignalSettings, number: int) -> Layer:
    """Return one of the convolutions, which read what is near, on both sides or before."""
    return Conv1D(
        settings.filters,
        settings.kernel,
        padding="same" if settings.direction == "both" else "causal",
        activation="relu",
        name=f"window_{number}",
    )


def reader(settings: SignalSettings, number: int) -> Layer:
    """Return one of the recurrent layers, in the directions in which it reads."""
    cell = {"lstm": LSTM, "gru": GRU}[settings.cell]
    name = f"reader_{number}"
    if settings.direction == "forward":
        return cell(settings.units, return_sequences=True, name=name)
    return Bidirectional(cell(settings.units, return_sequences=True, name=settings.cell), name=name)
