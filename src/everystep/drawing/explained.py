"""The form of an explanation and of a comparison: plain data, as `--json` prints and pictures draw.

Every value is text, a number, true or false, None, a list or a mapping of such. Maps are lists of
rows, one for each output step, each with one entry for each input step.
"""

from typing import Literal, TypedDict


class Port(TypedDict):
    """One input or output.

    Args:
        name: its name, such as `"inputs"` or `"outputs[1]"`.
        shape: its shape as text, the batch axis first, such as `"(batch, 4, 3)"`.
        dtype: its dtype, such as `"float32"` or `"int32"`.
        steps: how many steps it has; 1 where the whole of it counts as one.
        timed: whether it has a time axis.
        units: how many numbers a step of it has.
    """

    name: str
    shape: str
    dtype: str
    steps: int
    timed: bool
    units: int


class Map(TypedDict):
    """Which steps of one output read which steps of one input.

    Args:
        output: the name of the output.
        input: the name of the input.
        depends: upper bound: False where the program shows that the step cannot be read.
        witnessed: lower bound: True where changing the step has been seen to change the output.
        exact: whether the two agree everywhere.
        stepwise: whether each output step reads the input step of its own place alone.
        causal: whether no output step reads an input step behind its place.
        lookback: how many steps before its place an output step reads at most; None: unbounded.
        lookahead: the same behind its place.
    """

    output: str
    input: str
    depends: list[list[bool]]
    witnessed: list[list[bool]]
    exact: bool
    stepwise: bool
    causal: bool
    lookback: int | None
    lookahead: int | None


class WeightUse(TypedDict):
    """How the output steps use one weight.

    Args:
        path: where the weight stands, such as `"sequential/dense/kernel"`.
        shape: its sizes.
        steps: for each step of each output in turn, whether it uses the weight.
        used_by: how many output steps one value of the weight makes, at most.
        shared: whether one value of it makes several output steps.
    """

    path: str
    shape: list[int]
    steps: list[bool]
    used_by: int
    shared: bool


class LayerRead(TypedDict):
    """One call of a layer directly inside a model, in the order of the calls.

    Args:
        path: the layer's path.
        kind: its class, such as `"Bidirectional"`.
        parameters: how many numbers its weights have.
        sources: what it reads: the number of a call before it, or -1 - k for the model's input k.
        input_shapes: the shape of each of them as text.
        output_shape: the shape of its (first) output as text.
        steps: how many steps its output has.
        depends: for each source, which of its own output steps read which steps of that source.
        units: how many numbers a step of its output has.
        weights: paths of its weights.
        uses: for each of them, which steps of the layer's own output use it.
        used_by: for each of them, how many of these steps one value of it makes, at most.
    """

    path: str
    kind: str
    parameters: int
    sources: list[int]
    input_shapes: list[str]
    output_shape: str
    steps: int
    depends: list[list[list[bool]]]
    units: int
    weights: list[str]
    uses: list[list[bool]]
    used_by: list[int]


class Cost(TypedDict):
    """What a step costs.

    Args:
        multiply_adds: multiplications with an addition, for each output step.
        bytes: bytes of weights, inputs and outputs that have to move, for each output step.
    """

    multiply_adds: float
    bytes: float


class KernelChoice(TypedDict):
    """How one recurrent layer is run: the kernel's name, and why not a faster one, or ""."""

    path: str
    kernel: str
    why: str


class Rows(TypedDict):
    """What rows do that hold padding, or several sequences.

    Args:
        verdict: `"inert"`: no padded step changes a real one, or no sequence its neighbour;
            `"leaks"`: one does; `"refused"`: the model raises an error for such rows;
            `"unknown"`: it could not be shown either way.
        pair: an output and an input step that show a leak, or None.
        reason: in words.
    """

    verdict: Literal["inert", "leaks", "refused", "unknown"]
    pair: list[int] | None
    reason: str


class Connected(TypedDict):
    """Who reads what, and by which weights: what a picture of a network shows."""

    name: str
    inputs: list[Port]
    outputs: list[Port]
    maps: list[Map]
    weights: list[WeightUse]


class Explained(Connected):
    """All that is known of one layer, model or function for one number of steps."""

    kind: str
    steps: int
    parameters: int
    layers: list[LayerRead]
    any_length: bool
    any_length_reason: str
    cost: Cost
    kernels: list[KernelChoice]
    padding: Rows
    packing: Rows
    unknown: list[str]
    assumptions: list[str]


class Compared(TypedDict):
    """One model of a comparison: its name there, its explanation, its relation to the first."""

    name: str
    explained: Explained
    relation: Literal["same", "narrower", "wider", "different", "unknown"]
    relation_reason: str


class Comparison(TypedDict):
    """Several models on inputs of the same kind; the first is the one they are related to."""

    steps: int
    models: list[Compared]
