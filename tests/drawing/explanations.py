"""Explanations made by hand, small and large, of models whose maps everybody can work out."""

from collections.abc import Callable

from everystep.drawing.explained import (
    Compared,
    Comparison,
    Cost,
    Explained,
    KernelChoice,
    LayerRead,
    Map,
    Port,
    Rows,
    WeightUse,
)

HOSTILE = "<script>alert('&\"')</script>"

Reads = Callable[[int, int], bool]
Grid = list[list[bool]]


def grid(outputs: int, inputs: int, reads: Reads) -> Grid:
    return [[reads(t, s) for s in range(inputs)] for t in range(outputs)]


def own(t: int, s: int) -> bool:
    return t == s


def earlier(t: int, s: int) -> bool:
    return s <= t


def every(t: int, s: int) -> bool:
    return True


def window(width: int, stride: int = 1) -> Reads:
    return lambda t, s: t * stride <= s < t * stride + width


def port(name: str, steps: int, units: int, dtype: str = "float32", *, timed: bool = True) -> Port:
    sizes = ["batch"]
    sizes += [str(steps)] if timed else []
    sizes += [] if dtype == "int32" else [str(units)]
    shape = f"({', '.join(sizes)})"
    return Port(name=name, shape=shape, dtype=dtype, steps=steps, timed=timed, units=units)


def read_map(
    depends: Grid, witnessed: Grid | None = None, *, output: str = "outputs", input_: str = "inputs"
) -> Map:
    square = len(depends) == len(depends[0])
    pairs = [(t, s) for t, row in enumerate(depends) for s, does in enumerate(row) if does]
    return Map(
        output=output,
        input=input_,
        depends=depends,
        witnessed=witnessed or depends,
        exact=witnessed in (None, depends),
        stepwise=square and all(t == s for t, s in pairs),
        causal=all(s <= t for t, s in pairs),
        lookback=max((t - s for t, s in pairs), default=0) if square else None,
        lookahead=max((s - t for t, s in pairs), default=0) if square else None,
    )


def weight(
    path: str, shape: list[int], outputs: int, *, only: int | None = None, but: int | None = None
) -> WeightUse:
    """A weight that all output steps use, one alone, or all but one."""
    steps = [only in (None, step) and step != but for step in range(outputs)]
    return WeightUse(path=path, shape=shape, steps=steps, used_by=sum(steps), shared=sum(steps) > 1)


def layer(
    name: str, kind: str, parameters: int, depends: Grid, sizes: tuple[int, int], source: int = -1
) -> LayerRead:
    steps, before = len(depends), len(depends[0])
    return LayerRead(
        path=f"model/{name}",
        kind=kind,
        parameters=parameters,
        sources=[source],
        input_shapes=[f"(batch, {before}, {sizes[0]})"],
        output_shape=f"(batch, {steps}, {sizes[1]})",
        steps=steps,
        depends=[depends],
        units=sizes[1],
        weights=[f"model/{name}/kernel", f"model/{name}/bias"] if parameters else [],
        uses=[[True] * steps] * 2 if parameters else [],
        used_by=[steps] * 2 if parameters else [],
    )


def explained(
    name: str,
    layers: list[LayerRead],
    maps: list[Map],
    inputs: list[Port],
    outputs: list[Port],
    weights: list[WeightUse],
    *,
    any_length: bool = True,
    kernels: list[KernelChoice] | None = None,
) -> Explained:
    inert = Rows(verdict="inert", pair=None, reason="no padded step changes a real one")
    return Explained(
        name=name,
        kind="Sequential",
        steps=inputs[0]["steps"],
        parameters=sum(each["parameters"] for each in layers),
        inputs=inputs,
        outputs=outputs,
        maps=maps,
        weights=weights,
        layers=layers,
        any_length=any_length,
        any_length_reason="" if any_length else "a kernel of 12 rows takes 4 steps of 3",
        cost=Cost(multiply_adds=15.0, bytes=112.0),
        kernels=kernels or [],
        padding=inert,
        packing=Rows(verdict="inert", pair=None, reason="no sequence changes its neighbour"),
        unknown=[],
        assumptions=[],
    )


def dense(name: str = "dense", kind: str = "Dense", steps: int = 4, units: int = 5) -> Explained:
    reads = grid(steps, steps, own)
    return explained(
        name,
        [layer("dense", kind, 4 * units, reads, (3, units))],
        [read_map(reads)],
        [port("inputs", steps, 3)],
        [port("outputs", steps, units)],
        [
            weight("model/dense/kernel", [3, units], steps),
            weight("model/dense/bias", [units], steps),
        ],
    )


def flattened() -> Explained:
    whole = [[True] * 4]
    flatten = layer("flatten", "Flatten", 0, whole, (3, 12))
    flatten["output_shape"] = "(batch, 12)"
    wide = layer("dense", "Dense", 260, [[True]], (12, 20), source=0)
    wide["input_shapes"], wide["output_shape"] = ["(batch, 12)"], "(batch, 20)"
    back = layer("reshape", "Reshape", 0, [[True]] * 4, (20, 5), source=1)
    back["input_shapes"] = ["(batch, 20)"]
    uses = [
        WeightUse(
            path=f"model/dense/{name}", shape=shape, steps=[True] * 4, used_by=1, shared=False
        )
        for name, shape in (("kernel", [12, 20]), ("bias", [20]))
    ]
    return explained(
        "flattened",
        [flatten, wide, back],
        [read_map(grid(4, 4, every))],
        [port("inputs", 4, 3)],
        [port("outputs", 4, 5)],
        uses,
        any_length=False,
    )


def per_step(steps: int = 4) -> Explained:
    reads = grid(steps, steps, own)
    uses = [
        weight(f"model/per_step/{step}/{name}", shape, steps, only=step)
        for step in range(steps)
        for name, shape in (("kernel", [3, 5]), ("bias", [5]))
    ]
    read = layer("per_step", "PerStep", 20 * steps, reads, (3, 5))
    read["weights"] = [each["path"] for each in uses]
    read["uses"], read["used_by"] = [each["steps"] for each in uses], [1] * len(uses)
    return explained(
        "per step",
        [read],
        [read_map(reads)],
        [port("inputs", steps, 3)],
        [port("outputs", steps, 5)],
        uses,
        any_length=False,
    )


def tagger(steps: int = 5, kind: str = "LSTM") -> Explained:
    """Embedding, LSTM forward or in both directions, Dense."""
    both = kind == "Bidirectional"
    reads = grid(steps, steps, every if both else earlier)
    embedding = layer("embedding", "Embedding", 800, grid(steps, steps, own), (1, 8))
    embedding["input_shapes"] = [f"(batch, {steps})"]
    embedding["weights"] = ["model/embedding/embeddings"]
    embedding["uses"], embedding["used_by"] = [[True] * steps], [steps]
    wide = 12 if both else 6
    data = explained(
        f"tagger of {steps} steps",
        [
            embedding,
            layer("recurrent", kind, 720 if both else 360, reads, (8, wide), source=0),
            layer("dense", "Dense", 5 * wide + 5, grid(steps, steps, own), (wide, 5), source=1),
        ],
        [read_map(reads)],
        [port("inputs", steps, 1, "int32")],
        [port("outputs", steps, 5)],
        [
            weight("model/embedding/embeddings", [100, 8], steps),
            weight("model/recurrent/kernel", [8, 24], steps),
            weight("model/recurrent/bias", [24], steps),
            weight("model/dense/kernel", [wide, 5], steps),
            weight("model/dense/bias", [5], steps),
        ],
        kernels=[
            KernelChoice(
                path="model/recurrent" + ("/forward" if both else ""), kernel="xla", why=""
            )
        ],
    )
    data["maps"][0]["lookback"] = None
    data["maps"][0]["lookahead"] = None if both else 0
    return data


def convolution() -> Explained:
    """A strided convolution, then one of width 1."""
    reads = grid(4, 9, window(3, 2))
    return explained(
        "strided",
        [
            layer("conv", "Conv1D", 40, reads, (3, 4)),
            layer("narrow", "Conv1D", 10, grid(4, 4, own), (4, 2), source=0),
        ],
        [read_map(reads)],
        [port("inputs", 9, 3)],
        [port("outputs", 4, 2)],
        [
            weight("model/conv/kernel", [3, 3, 4], 4),
            weight("model/conv/bias", [4], 4),
            weight("model/narrow/kernel", [1, 4, 2], 4),
            weight("model/narrow/bias", [2], 4),
        ],
    )


def branches() -> Explained:
    """Two inputs, words and signs, and two outputs, one for each step and one for all."""
    own_steps = grid(6, 6, own)
    words = layer("words", "LSTM", 120, grid(6, 6, earlier), (3, 4))
    signs = layer("signs", "Dense", 30, own_steps, (2, 4), source=-2)
    join = layer("join", "Add", 0, own_steps, (4, 4))
    join["sources"], join["depends"] = [0, 1], [own_steps, own_steps]
    join["input_shapes"] = ["(batch, 6, 4)"] * 2
    tags = layer("tags", "Dense", 25, own_steps, (4, 5), source=2)
    last = layer("last", "GlobalMaxPooling1D", 0, [[True] * 6], (4, 4), source=2)
    last["output_shape"] = "(batch, 4)"
    maps = [
        read_map(grid(6, 6, earlier), output="tags", input_="words"),
        read_map(own_steps, output="tags", input_="signs"),
        read_map([[True] * 6], output="last", input_="words"),
        read_map([[True] * 6], [[True] * 3 + [False] * 3], output="last", input_="signs"),
    ]
    return explained(
        "branches",
        [words, signs, join, tags, last],
        maps,
        [port("words", 6, 3), port("signs", 6, 2)],
        [port("tags", 6, 5), port("last", 1, 4, timed=False)],
        [
            weight("model/words/kernel", [3, 16], 7),
            weight("model/words/bias", [16], 7),
            weight("model/signs/kernel", [2, 4], 7),
            weight("model/signs/bias", [4], 7),
            weight("model/tags/kernel", [4, 5], 7, but=6),
            weight("model/tags/bias", [5], 7, but=6),
        ],
        kernels=[KernelChoice(path="model/words", kernel="native", why="")],
    )


def residual(steps: int = 8) -> Explained:
    """Causal attention with a way around it, then attention to all steps."""
    own_steps = grid(steps, steps, own)
    add = layer("add", "Add", 0, own_steps, (8, 8))
    add["sources"], add["depends"] = [0, 1], [own_steps, own_steps]
    add["input_shapes"] = [f"(batch, {steps}, 8)"] * 2
    layers = [
        layer("embedding", "Dense", 32, own_steps, (3, 8)),
        layer("attention", "MultiHeadAttention", 288, grid(steps, steps, earlier), (8, 8), 0),
        add,
        layer("everywhere", "MultiHeadAttention", 288, grid(steps, steps, every), (8, 8), 2),
    ]
    return explained(
        "residual",
        layers,
        [read_map(grid(steps, steps, every))],
        [port("inputs", steps, 3)],
        [port("outputs", steps, 8)],
        [weight(path, [8, 8], steps) for each in layers for path in each["weights"]],
    )


def unproven() -> Explained:
    """A map whose two bounds differ, with all that reports have to warn of, and hostile names."""
    depends = grid(4, 4, lambda t, s: abs(t - s) <= 1)
    witnessed = grid(4, 4, own)
    data = explained(
        HOSTILE,
        [layer(HOSTILE, HOSTILE, 20, depends, (3, 5))],
        [read_map(depends, witnessed, output=HOSTILE, input_=HOSTILE)],
        [port(HOSTILE, 4, 3)],
        [port(HOSTILE, 4, 5)],
        [weight(HOSTILE, [3, 5], 4)],
    )
    read = data["layers"][0]
    read["weights"], read["uses"], read["used_by"] = [HOSTILE], [[True] * 4], [4]
    data["unknown"] = [HOSTILE]
    data["assumptions"] = [HOSTILE]
    data["padding"] = Rows(verdict="leaks", pair=[0, 1], reason=HOSTILE)
    data["packing"] = Rows(verdict="refused", pair=None, reason=HOSTILE)
    return data


def five_designs() -> Comparison:
    entries = [
        ("Dense", dense(), "same", ""),
        ("TimeDistributed(Dense)", dense("wrapped", "TimeDistributed"), "same", "equal weights"),
        ("Reshape, Dense, Reshape", dense("folded", "FoldedDense"), "same", "equal weights"),
        (
            "Flatten, Dense, Reshape",
            flattened(),
            "wider",
            "a block-diagonal kernel of equal blocks",
        ),
        ("PerStep(Dense)", per_step(), "wider", "equal kernels at all steps"),
    ]
    models = [
        Compared(name=name, explained=data, relation=relation, relation_reason=reason)  # type: ignore[typeddict-item]
        for name, data, relation, reason in entries
    ]
    return Comparison(steps=4, models=models)
