"""The form of a demonstration's result: plain data, as `metrics.json` holds it and pages draw it.

Every value is text, a number, true or false, None, a list or a mapping of such, so that the result
of `json.loads` can be drawn as well as what has just been measured. Shares are from 0 to 1.
"""

from typing import TypedDict

from everystep.drawing.explained import Comparison, Explained


class Part(TypedDict):
    """One part of the corpus: train, dev or test."""

    name: str
    files: int
    sequences: int
    steps: int


class Baselines(TypedDict):
    """Test accuracy without a model."""

    majority: float
    majority_label: str
    by_token: float


class Lengths(TypedDict):
    """How many steps the training sequences have, and how many sequences have about so many."""

    shortest: int
    median: int
    mean: float
    longest: int
    counts: list[int]
    width: int


class Corpus(TypedDict):
    """What was learned from and tested on."""

    name: str
    parts: list[Part]
    skipped: int
    labels: int
    vocabulary: int
    unknown: float
    lengths: Lengths
    baselines: Baselines
    test_files: list[str]


class SummaryLine(TypedDict):
    """One layer of a model."""

    name: str
    kind: str
    output_shape: str
    parameters: int


class Curves(TypedDict):
    """A value an epoch."""

    loss: list[float]
    accuracy: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


class ModelResult(TypedDict):
    """One trained model, how well it does on the test files, and which step of it reads which."""

    name: str
    title: str
    file: str
    layers: list[SummaryLine]
    parameters: int
    accuracy: float
    name_accuracy: float
    curves: Curves
    seconds: float
    steps_per_second: float
    explained: Explained


class Label(TypedDict):
    """One role: test accuracy over the steps that play it."""

    name: str
    meaning: str
    steps: int
    majority: float
    by_token: float
    forward: float
    bidirectional: float


class Token(TypedDict):
    """One step of a sample of source; `before` is the layout between it and the step before."""

    text: str
    before: str
    role: str
    forward: str
    bidirectional: str


class Sample(TypedDict):
    """A run of unseen source with what both models say."""

    path: str
    line: int
    tokens: list[Token]


class Confusion(TypedDict):
    """How often a role was taken for another one, and what stood after the step.

    `next` is the most frequent token after the steps where the forward model says so, and
    `next_share` its share of them.
    """

    role: str
    said: str
    forward: int
    bidirectional: int
    next: str
    next_share: float


class Call(TypedDict):
    """A called name that the forward model takes for something that is not called.

    `swapped_forward` and `swapped_bidirectional` are what the models say when the parenthesis after
    the name is replaced by a comma.
    """

    path: str
    line: int
    before: str
    text: str
    after: str
    role: str
    forward: str
    bidirectional: str
    swapped_forward: str
    swapped_bidirectional: str


class Swap(TypedDict):
    """What changes at a called name when the parenthesis after it is replaced by a comma.

    `forward_difference` is the largest absolute difference over all outputs of the forward model at
    these steps.
    """

    tried: int
    forward_changed: int
    bidirectional_changed: int
    forward_difference: float


class Parenthesis(TypedDict):
    """Why a model that also reads backward is better: the steps where it alone is right.

    Args:
        calls: called names in the test files.
        missed: those that the forward model takes for something that is not called.
        mended: those of the missed ones that the bidirectional model has right.
        gained: all steps where only the bidirectional model is right.
        lost: all steps where only the forward model is right.
    """

    calls: int
    missed: int
    mended: int
    gained: int
    lost: int
    examples: list[Call]
    swap: Swap
    confusions: list[Confusion]


class Report(TypedDict):
    """All that the demonstration found."""

    versions: dict[str, str]
    settings: dict[str, int | float | str]
    corpus: Corpus
    models: list[ModelResult]
    labels: list[Label]
    samples: list[Sample]
    parenthesis: Parenthesis
    designs: Comparison
    seconds: dict[str, float]
