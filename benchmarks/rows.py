"""What do padding, gaps, packed rows and recurrent dropout cost, next to rows without them?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import _torch
from benchmarks._layers.ours import keras_like
from benchmarks._layers.spec import Spec, cases
from benchmarks._layers.with_jax import compiled
from benchmarks._layers.with_torch import layers_of
from benchmarks._peers import XLA
from benchmarks._question import Peer, Question, Sizes, Work

PLAIN, DROPOUT = "plain", "dropout"
RATE = 0.2
Segments = Any


def _resets(share: float) -> Callable[[Spec], Segments]:
    """Full rows in which this share of the steps begins another sequence."""

    def segments(spec: Spec) -> Segments:
        starts = np.random.default_rng(3).random((spec.batch, spec.steps)) < share
        return 1 + np.cumsum(starts, axis=1, dtype="int32")

    return segments


def _gaps(spec: Spec) -> Segments:
    """Rows in which one step of ten, anywhere, is padding."""
    real = np.random.default_rng(3).random((spec.batch, spec.steps)) >= 0.1
    return real.astype("int32")


def _lengths(spec: Spec) -> Any:
    """Lengths of rows, evenly from half of the steps to all."""
    return np.linspace(spec.steps / 2, spec.steps, spec.batch).astype("int32")


def _right(spec: Spec) -> Segments:
    return (np.arange(spec.steps) < _lengths(spec)[:, None]).astype("int32")


def _left(spec: Spec) -> Segments:
    return _right(spec)[:, ::-1].copy()


ROWS: dict[str, Callable[[Spec], Segments]] = {
    "resets 1 %": _resets(0.01),
    "resets 10 %": _resets(0.1),
    "gaps": _gaps,
    "left padding": _left,
    "right padding": _right,
}
WAYS = (PLAIN, *ROWS, DROPOUT)


def everystep(sizes: Sizes) -> Work:
    """Our layer over rows of one kind, whose segments go in with the values."""
    import jax
    import jax.numpy as jnp

    import everystep as es

    spec, way = Spec.of(sizes), str(sizes["rows"])
    layer = keras_like(es, spec, recurrent_dropout=RATE if way == DROPOUT else 0.0)
    paths = [variable.path for variable in layer.trainable_weights]
    held = es.weights_of(layer)
    kind = ROWS.get(way)
    segments = None if kind is None else jnp.asarray(kind(spec))
    key = jax.random.key(0) if way == DROPOUT else None
    others = {path: value for path, value in held.items() if path not in paths}

    def outputs(inputs: Any, weights: Any) -> Any:
        given = others | dict(zip(paths, weights, strict=True))
        if segments is not None:
            inputs = es.Steps(inputs, segments, packed=way.startswith("resets"))
        made = es.apply(layer, given, inputs, training=way == DROPOUT, key=key)[0]
        return made.values if isinstance(made, es.Steps) else made

    return compiled(spec, outputs, [held[path] for path in paths], lambda _: None)


def keras(sizes: Sizes) -> Work:
    """Keras's layer on JAX, with a mask where rows have padding."""
    import jax.numpy as jnp
    import keras as library

    spec, way = Spec.of(sizes), str(sizes["rows"])
    layer = keras_like(library, spec)
    rest = [variable.value for variable in layer.non_trainable_variables]
    weights = [variable.value for variable in layer.trainable_variables]
    given = {} if way == PLAIN else {"mask": jnp.asarray(ROWS[way](spec) != 0)}

    def outputs(inputs: Any, weights: Any) -> Any:
        return layer.stateless_call(weights, rest, inputs, **given)[0]

    return compiled(spec, outputs, weights, lambda _: None)


def torch(sizes: Sizes) -> Work:
    """The layer of torch over whole rows, or over a `PackedSequence`, made ahead."""
    import torch as library
    from torch.nn.utils.rnn import pack_padded_sequence

    spec, way = Spec.of(sizes), str(sizes["rows"])
    layer = layers_of(spec)
    rows = _torch.tensor(spec.inputs())
    back = _torch.tensor(spec.output_gradients())
    if way == PLAIN:
        given: Any = rows.requires_grad_()
        source = given
    else:
        lengths = library.from_numpy(_lengths(spec)).long()
        packed = pack_padded_sequence(rows, lengths, batch_first=True, enforce_sorted=False)
        source = packed.data.requires_grad_()
        given = packed._replace(data=source)
        back = pack_padded_sequence(back, lengths, batch_first=True, enforce_sorted=False).data
    wanted = [source, *layer.parameters()]

    def outputs() -> Any:
        made = layer(given)[0]
        return made if way == PLAIN else made.data

    def forward() -> Any:
        with library.inference_mode():
            return outputs()

    def gradients() -> Any:
        return library.autograd.grad(outputs(), wanted, back)

    return Work(gradients if spec.gradients else forward, lambda _: None)


def _ways(
    name: str, build: str, environment: dict[str, str], packages: tuple[str, ...], *ways: str
) -> tuple[Peer, ...]:
    """One library over rows of several kinds, each compared with its own plain rows."""
    before = f"{name} " if name else ""
    return tuple(
        Peer(
            f"{before}{way}",
            f"benchmarks.rows:{build}",
            environment,
            packages,
            settings={"rows": way},
            against=f"{before}{PLAIN}",
        )
        for way in ways
    )


QUESTION = Question(
    name="rows",
    text=__doc__,
    peers=(
        *_ways("", "everystep", {}, (), *WAYS),
        *_ways("xla", "everystep", XLA, (), *WAYS),
        *_ways("Keras on JAX", "keras", {"KERAS_BACKEND": "jax"}, ("keras",), PLAIN, "gaps"),
        *_ways("torch", "torch", {}, ("torch",), PLAIN, "right padding"),
    ),
    cases=cases(),
    flops=lambda sizes: Spec.of(sizes).flops,
    quick={"batch": 2, "steps": 5, "features": 4, "units": 8},
)
