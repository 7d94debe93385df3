"""How fast is a whole tagger, through each library's own methods for training and prediction?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import _peers, _torch
from benchmarks._question import Question, Sizes, Work
from benchmarks._taggers import EPSILON, TRAIN, Array, Tagger, keras_like, torch_parts, torch_work


def flops(sizes: Sizes) -> float:
    """Of all products, over all steps."""
    steps = int(sizes["batch"]) * int(sizes["steps"])
    return Tagger.of(sizes).flops(steps, sizes["task"] == TRAIN)


def data(sizes: Sizes) -> tuple[Array, Array]:
    """The same sentences and labels for every peer."""
    random = np.random.default_rng(0)
    shape = int(sizes["batch"]), int(sizes["steps"])
    ids = random.integers(0, int(sizes["vocabulary"]), shape).astype("int32")
    return ids, random.integers(0, int(sizes["labels"]), shape).astype("int32")


def _through_model(library: Any, sizes: Sizes) -> Callable[[], Any]:
    """The work for a library with Keras's interface: ours, or Keras."""
    model = keras_like(library, Tagger.of(sizes))
    ids, labels = data(sizes)
    if sizes["task"] == TRAIN:
        return lambda: np.asarray(model.train_on_batch(ids, labels))
    return lambda: model.predict_on_batch(ids)


def everystep(sizes: Sizes) -> Callable[[], Any]:
    """Our layers."""
    import everystep as library

    return _through_model(library, sizes)


def keras(sizes: Sizes) -> Callable[[], Any]:
    """Keras, on the backend that its process was given."""
    import keras as library

    return _through_model(library, sizes)


def torch(sizes: Sizes) -> Callable[[], Any]:
    """Layers of torch, eager or compiled."""
    (embedding, lstm, dense), optimizer = torch_parts(Tagger.of(sizes))
    ids, labels = map(_torch.tensor, data(sizes))

    def outputs(ids: Any) -> Any:
        return dense(lstm(embedding(ids))[0])

    return torch_work(outputs, optimizer, ids, labels, sizes)


def flax(sizes: Sizes) -> Work:
    """Layers of flax nnx, with optax."""
    import jax.numpy as jnp
    from flax import nnx

    tagger = Tagger.of(sizes)
    table, kernel, recurrent, bias, out, out_bias = map(jnp.asarray, tagger.weights())
    random = nnx.Rngs(0)
    embed = nnx.Embed(tagger.vocabulary, tagger.features, rngs=random)
    cell = nnx.OptimizedLSTMCell(tagger.features, tagger.units, rngs=random)
    dense = nnx.Linear(tagger.units, tagger.labels, rngs=random)
    for parameter, array in (
        (embed.embedding, table),
        (cell.dense_i.kernel, kernel),
        (cell.dense_h.kernel, recurrent),
        (cell.dense_h.bias, bias),
        (dense.kernel, out),
        (dense.bias, out_bias),
    ):
        parameter[...] = array
    graph, weights = nnx.split(nnx.List([embed, cell, dense]), nnx.Param)

    def outputs(weights: Any, ids: Any) -> Any:
        embed, cell, dense = nnx.merge(graph, weights)
        return dense(nnx.RNN(cell)(embed(ids)))

    return _on_jax(sizes, outputs, weights)


def equinox(sizes: Sizes) -> Work:
    """Layers of equinox, with optax."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    tagger = Tagger.of(sizes)
    table, kernel, recurrent, bias, out, out_bias = map(jnp.asarray, tagger.weights())
    key = jax.random.key(0)
    cell = eqx.tree_at(
        lambda c: (c.weight_ih, c.weight_hh, c.bias),
        eqx.nn.LSTMCell(tagger.features, tagger.units, key=key),
        (kernel.T, recurrent.T, bias),
    )
    dense = eqx.tree_at(
        lambda layer: (layer.weight, layer.bias),
        eqx.nn.Linear(tagger.units, tagger.labels, key=key),
        (out.T, out_bias),
    )
    weights = eqx.nn.Embedding(weight=table), cell, dense

    def outputs(weights: Any, ids: Any) -> Any:
        embed, cell, dense = weights

        def row(ids: Any) -> Any:
            def body(states: Any, word: Any) -> Any:
                states = cell(embed(word), states)
                return states, dense(states[0])

            zeros = jnp.zeros(tagger.units)
            return jax.lax.scan(body, (zeros, zeros), ids)[1]

        return jax.vmap(row)(ids)

    return _on_jax(sizes, outputs, weights)


def _on_jax(sizes: Sizes, outputs: Callable[[Any, Any], Any], weights: Any) -> Work:
    """The work of a function of weights and ids: one jitted step, its weights donated."""
    import jax
    import optax

    ids, labels = jax.device_put(data(sizes))
    if sizes["task"] != TRAIN:
        predict = jax.jit(outputs)
        return Work(lambda: np.asarray(predict(weights, ids)))
    optimizer = optax.adam(1e-3, eps=EPSILON)

    def loss(weights: Any) -> Any:
        made = outputs(weights, ids)
        return optax.softmax_cross_entropy_with_integer_labels(made, labels).mean()

    def step(state: Any) -> Any:
        weights, slots = state
        value, gradients = jax.value_and_grad(loss)(weights)
        updates, slots = optimizer.update(gradients, slots, weights)
        return (optax.apply_updates(weights, updates), slots), value

    program = jax.jit(step, donate_argnums=0)
    held = [jax.tree.map(jax.numpy.copy, (weights, optimizer.init(weights)))]

    def run() -> Any:
        held[0], value = program(held[0])
        return np.asarray(value)

    return Work(run)


SIZES = {"steps": 50, "vocabulary": 10_000, "features": 128, "units": 256, "labels": 17}

QUESTION = Question(
    name="tagger",
    text=__doc__,
    peers=(
        *_peers.ours("benchmarks.tagger:everystep"),
        *_peers.keras("benchmarks.tagger:keras"),
        *_peers.torch("benchmarks.tagger:torch"),
        *_peers.on_jax("benchmarks.tagger:flax", "benchmarks.tagger:equinox"),
    ),
    cases=(
        {"task": TRAIN, "batch": 32, **SIZES},
        {"task": "forward", "batch": 32, **SIZES},
        {"task": "forward", "batch": 1, **SIZES},
    ),
    flops=flops,
    quick={"batch": 2, "steps": 3, "vocabulary": 9, "features": 4, "units": 8, "labels": 3},
)
