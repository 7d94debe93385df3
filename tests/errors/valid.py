"""For every entry point a call that works: objects, files, and what parameters take, by name."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import optax

import everystep as es
from tests.errors.found import EntryPoint
from tests.tagging.signals import pulses

X = np.linspace(-1, 1, 24, dtype="float32").reshape(2, 4, 3)
ONE_HOT = np.eye(3, dtype="float32")[[[0, 1, 2, 0], [1, 1, 2, 0]]]
IDS = ONE_HOT.argmax(-1)
LIKELY = np.full((2, 4, 3), 1 / 3, "float32")
STEPS = np.ones((2, 4), "int32")
SENTENCES = [(["the", "cat"], ["DET", "NOUN"]), (["sat"], ["VERB"])] * 3
SENTENCE = es.corpora.Sentence(("the", "cat"), ("DET", "NOUN"))
BASELINE = es.corpora.MajorityBaseline("c", {"a": "c"}, "c")
SIGNALS = pulses.pulses(2, 1)


@functools.cache
def model() -> es.Sequential:
    """A model that is compiled; the walk runs its programs again and again."""
    made = es.Sequential([es.Input((4, 3)), es.layers.Dense(3, name="label")], name="tagger")
    made.compile("sgd", "mse")
    return made


def fresh_model() -> es.Sequential:
    return es.Sequential([es.Input((4, 3)), es.layers.Dense(3, name="label")], name="tagger")


@functools.cache
def tagger() -> es.Tagger:
    settings = {"epochs": 1, "units": 4, "embedding": 3, "character_units": 3}
    return es.Tagger.train(SENTENCES, settings=settings, verbose=0)


@functools.cache
def signal_tagger() -> es.SignalTagger:
    return es.SignalTagger.train(SIGNALS, settings={**pulses.SMALL, "epochs": 1}, verbose=0)


@functools.cache
def folder() -> Path:
    """A folder with a file of each kind that can be read."""
    place = Path(tempfile.mkdtemp(prefix="everystep-errors-"))
    model().save(place / "model.everystep")
    model().save_weights(place / "model.safetensors")
    (place / "corpus.jsonl").write_text('{"tokens": ["a"], "labels": ["b"]}\n', "utf-8")
    (place / "signals.csv").write_text("a,b,label\n1,2,0\n3,4,1\n", "utf-8")
    (place / "vectors.txt").write_text("1 2\nthe 0.5 0.25\n", "utf-8")
    (place / "source.py").write_text("a = 1\n", "utf-8")
    np.save(place / "signals.npy", np.zeros((2, 5, 2), "float32"))
    return place


def saved(made: Any, name: str) -> Path:
    made.save(folder() / name)
    return folder() / name


@functools.cache
def explanation() -> es.Explanation:
    return es.explain(es.layers.Dense(2), (None, 4, 3))


def layer() -> es.Layer:
    made = es.layers.Dense(3, name="label")
    made.build((None, 4, 3))
    return made


def weight() -> es.Variable:
    return es.Variable(np.ones(3, "float32"), name="weight")


WEIGHT = weight()


def optimizer() -> Any:
    made = es.optimizers.SGD(0.5)
    made.build([WEIGHT])
    return made


def functional() -> es.Model:
    inputs = es.Input((4, 3))
    return es.Model(inputs, es.layers.Dense(3)(inputs))


def chain() -> Any:
    crf = es.layers.CRF(3)
    crf(X)
    return crf.chain(X)


def signal() -> es.corpora.Signal:
    return next(iter(es.corpora.read_csv_signals(folder() / "signals.csv")))


def reader() -> Any:
    made = es.layers.LSTM(2, stateful=True)
    made(X)
    return made


def callback_list() -> Any:
    return es.callbacks.CallbackList([es.callbacks.History()], model(), {"epochs": 1})


class Later:
    """A value that is made for each call anew."""

    def __init__(self, make: Any) -> None:
        self.make = make


def file(name: str) -> Later:
    return Later(lambda: folder() / name)


# What a required parameter takes, by its name, whatever it belongs to.
BY_NAME: dict[str, Any] = {
    "activation": "tanh",
    "a": Later(lambda: es.layers.Dense(2)),
    "alpha": 1.0,
    "array": X,
    "axes": 1,
    "boundaries": [1],
    "cell": Later(lambda: es.layers.LSTMCell(2)),
    "cells": Later(lambda: [es.layers.LSTMCell(2)]),
    "decay_rate": 0.5,
    "decay_steps": 10,
    "dims": (2, 1),
    "entries": ["a", "b"],
    "equation": "abc,cd->abd",
    "filters": 4,
    "first_decay_steps": 10,
    "fn": es.losses.mean_squared_error,
    "folder": file("checkpoints"),
    "function": abs,
    "head_dim": 3,
    "initial_learning_rate": 0.1,
    "initializer": "zeros",
    "inner_optimizer": Later(optimizer),
    "input_dim": 7,
    "kernel_size": 2,
    "key_dim": 3,
    "n": 3,
    "num_classes": 3,
    "num_heads": 2,
    "num_key_value_heads": 2,
    "num_query_heads": 4,
    "output_dim": 3,
    "output_shape": (None, 3),
    "pool_size": 2,
    "precision": 0.5,
    "recall": 0.5,
    "schedule": abs,
    "sensitivity": 0.5,
    "specificity": 0.5,
    "stddev": 0.5,
    "target_class_ids": [1],
    "target_shape": (3,),
    "units": 3,
    "b": Later(lambda: es.layers.Dense(2)),
    "beta": 1.0,
    "callbacks": [],
    "counts": 3,
    "data_format": "channels_last",
    "default_value": 0.0,
    "dtype": "float32",
    "ids": [2, 3],
    "inputs": [X, X],
    "input_shape": (None, 4, 3),
    "json_string": Later(lambda: model().to_json()),
    "labels": ["B-PER", "I-PER"],
    "layer": Later(layer),
    "length": 4,
    "logits": X[0],
    "loss": Later(lambda: es.losses.MeanSquaredError()),
    "maxval": 5,
    "minval": 0,
    "model": Later(model),
    "models": Later(lambda: {"one": es.layers.Dense(2), "two": es.layers.Dense(2)}),
    "name": "name",
    "num_samples": 2,
    "obj": es.layers.Dense,
    "objects": {},
    "params": {},
    "probabilities": 0.5,
    "rate": 0.5,
    "segments": STEPS,
    "seed": 7,
    "sentences": [words for words, _ in SENTENCES],
    "sequences": [[1, 2], [3]],
    "shape": (2, 3),
    "signals": SIGNALS,
    "step": 3,
    "texts": ["a"],
    "thing": Later(lambda: es.layers.Dense(2)),
    "threshold": 0.5,
    "value": 1e-7,
    "values": X,
    "w": X[0],
    "x": X,
    "y_pred": LIKELY,
    "y_pred_shape": (None, 4, 3),
    "y_true": ONE_HOT,
    "y_true_shape": (None, 4, 3),
}
# What single entry points take besides, or instead.
OWN: dict[str, dict[str, Any]] = {
    "Layer.__call__": {"inputs": X},
    "callbacks.CSVLogger": {"filename": file("log.csv")},
    "callbacks.ModelCheckpoint": {"filepath": file("best.everystep")},
    "layers.CRF": {"labels": 3},
    "layers.Bidirectional": {"layer": Later(lambda: es.layers.LSTM(2))},
    "layers.InputLayer": {"shape": (4, 3)},
    "optimizers.OptaxOptimizer": {"transformation": Later(lambda: optax.sgd(0.5))},
    "optimizers.schedules.PiecewiseConstantDecay": {"values": [2, 3]},
    "Variable": {"shape": (3,)},
    "Explanation.gradient_by_step": {"weight": Later(lambda: f"{explanation().name}/kernel")},
    "Layer.build": {},
    "Compiles.compile": {"optimizer": "sgd", "loss": "mse"},
    "Trainer.fit": {"x": X, "y": ONE_HOT, "verbose": 0},
    "Trainer.evaluate": {"x": X, "y": ONE_HOT, "verbose": 0},
    "Trainer.predict": {"x": X, "verbose": 0},
    "Trainer.train_on_batch": {"x": X, "y": ONE_HOT},
    "Trainer.test_on_batch": {"x": X, "y": ONE_HOT},
    "Model.set_training_state": {"state": {}},
    "Model.save": {"filepath": file("new.everystep")},
    "Model.save_weights": {"filepath": file("new.safetensors")},
    "Model.load_weights": {"filepath": file("model.safetensors")},
    "Model.export": {"filepath": file("new.jax")},
    "Model.get_layer": {"name": "label"},
    "Model.summary": {"print_fn": str},
    "Sequential.add": {"layer": Later(lambda: es.layers.Dense(2))},
    "Applies.apply": {"grads": [np.ones(3, "float32")]},
    "Applies.set_weights": {"weights": [np.int32(3), np.float32(0.5)]},
    "LayerTree.set_weights": {"weights": [np.ones((3, 3), "float32"), np.ones(3, "float32")]},
    "LayerStateless.stateless_call": {
        "trainable_variables": [np.ones((3, 3), "float32"), np.ones(3, "float32")],
        "non_trainable_variables": [],
        "inputs": X,
    },
    "Configurable.from_config": {"config": {"units": 3}},
    "MajorityBaseline.label": {"symbols": ["a"]},
    "Reader.read": {"path": file("corpus.jsonl")},
    "Reader.write": {"sentence": SENTENCE, "labels": ["a", "b"]},
    "Vocabulary.from_dict": {"data": {"entries": ["a"], "counts": [3], "reserved": True}},
    "Vocabulary.from_sequences": {"sequences": [["a", "b"]]},
    "Windows.join": {"pieces": [np.ones((4, 2))], "steps": 4},
    "Windows.starts": {"steps": 9},
    "DTypePolicy.from_config": {"config": {"name": "float32"}},
    "Layer.build_from_config": {"config": {"input_shape": [None, 4, 3]}},
    "Recurrent.get_initial_state": {"batch_size": 2},
    "Cell.get_initial_state": {"batch_size": 2},
    "StackedRNNCells.get_initial_state": {"batch_size": 2},
    "InputSpec.from_config": {"config": {"ndim": 3}},
    "CRFLoss.__call__": {"y_pred": Later(chain), "y_true": IDS},
    "Softmax.__call__": {"inputs": X},
    "Metric.__call__": {"values": X},
    "OfSymbols.from_config": {"config": Later(lambda: functional().get_config())},
    "Sequential.from_config": {"config": Later(lambda: model().get_config())},
    "Applies.apply_gradients": {"grads_and_vars": [(np.ones(3, "float32"), WEIGHT)]},
    "Optimizer.build": {"variables": Later(lambda: [weight()])},
    "SeedGenerator.from_config": {"config": {"seed": 7, "name": "seeds"}},
    "OrthogonalRegularizer.__call__": {"x": X[0]},
    "Explanation.at": {"steps": 2},
    "Explanation.longer": {"times": 2},
    "SignalTagger.check_rate": {"rate": 100.0},
    "SignalTagger.load": {"path": Later(lambda: saved(signal_tagger(), "signals.everystep"))},
    "SignalTagger.save": {"path": file("new.everystep")},
    "SignalTagger.predict": {"signals": [values for values, _ in SIGNALS]},
    "SignalTagger.probabilities": {"signals": [values for values, _ in SIGNALS]},
    "SignalTagger.predict_stream": {"chunks": [SIGNALS[0][0]]},
    "SignalTagger.train": {"settings": {**pulses.SMALL, "epochs": 1}, "verbose": 0},
    "Steps.of": {"segments": np.array([[1] * 4, [2] * 4])},
    "Tagger.evaluate": {"sentences": SENTENCES},
    "Tagger.measure": {"sentences": SENTENCES},
    "Tagger.knows": {"token": "the"},
    "Tagger.load": {"path": Later(lambda: saved(tagger(), "tagger.everystep"))},
    "Tagger.save": {"path": file("new.everystep")},
    "Tagger.train": {
        "sentences": SENTENCES,
        "settings": {"epochs": 1, "units": 4, "embedding": 3, "character_units": 3},
        "verbose": 0,
    },
    "Variable.assign": {"value": np.ones(3, "float32")},
    "losses.sparse_categorical_crossentropy": {"y_true": IDS},
    "losses.check_class_ids": {"owner": "loss", "ids": IDS, "classes": 3},
    "losses.deserialize": {"config": "mse"},
    "losses.get": {"identifier": "mse"},
    "losses.resolve": {"identifier": "mse"},
    "losses.serialize": {"loss": Later(lambda: es.losses.MeanSquaredError())},
    "metrics.sparse_categorical_accuracy": {"y_true": IDS},
    "metrics.sparse_top_k_categorical_accuracy": {"y_true": IDS},
    "metrics.deserialize": {"config": "mse"},
    "metrics.get": {"identifier": "mse"},
    "metrics.resolve": {"identifier": "mse"},
    "metrics.serialize": {"value": Later(lambda: es.metrics.Mean())},
    "activations.glu": {"x": X[:, :, :2]},
    "backend.set_floatx": {"value": "float32"},
    "config.set_dtype_policy": {"policy": "float32"},
    "config.set_finite_inputs": {"value": False},
    "config.set_xla_threads": {"number": Later(lambda: es.config.xla_threads())},
    "corpora.csv_header": {"signal": Later(signal)},
    "corpora.csv_text": {"signal": Later(signal), "labels": [0, 1]},
    "corpora.majority_baseline": {"symbols": [("a", "b")], "labels": [("c", "d")]},
    "corpora.score_baseline": {
        "baseline": BASELINE,
        "symbols": [("a", "b")],
        "labels": [("c", "d")],
    },
    "dtype_policies.deserialize": {"identifier": "float32"},
    "dtype_policies.serialize": {"dtype_policy": es.DTypePolicy("float32")},
    "layers.Input": {"shape": (4, 3)},
    "utils.to_categorical": {"x": IDS},
    "utils.unpack_x_y_sample_weight": {"data": (X, ONE_HOT)},
    "optimizers.schedules.deserialize": {
        "config": {
            "class_name": "ExponentialDecay",
            "config": {"initial_learning_rate": 1.0, "decay_steps": 3, "decay_rate": 0.5},
        }
    },
    "apply": {"weights": Later(lambda: es.weights_of(layer())), "inputs": X},
    "assert_causal": {"*": [(None, 4, 3)]},
    "assert_stepwise": {"*": [(None, 4, 3)]},
    "compare": {"*": [(None, 4, 3)]},
    "explain": {"*": [(None, 4, 3)]},
    "relation": {"*": [(None, 4, 3)]},
    "activations.get": {"identifier": "relu"},
    "activations.serialize": {"activation": es.activations.relu},
    "constraints.get": {"identifier": "max_norm"},
    "initializers.deserialize": {"config": "zeros"},
    "initializers.get": {"identifier": "zeros"},
    "initializers.serialize": {"initializer": Later(lambda: es.initializers.Zeros())},
    "regularizers.get": {"identifier": "l2"},
    "optimizers.get": {"identifier": "adam"},
    "optimizers.deserialize": {"config": "adam"},
    "optimizers.serialize": {"optimizer": Later(optimizer)},
    "layers.deserialize": {
        "config": {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}
    },
    "saving.deserialize_keras_object": {
        "config": {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}
    },
    "saving.serialize_keras_object": {"obj": Later(layer)},
    "saving.load_weights": {"filepath": file("model.safetensors")},
    "saving.save_weights": {"filepath": file("new.safetensors")},
    "models.load_model": {"filepath": file("model.everystep")},
    "models.save_model": {"filepath": file("new.everystep")},
    "random.dropout": {"inputs": X},
    "corpora.reader": {"name": "jsonl"},
    "corpora.reader_for": {"path": file("corpus.jsonl")},
    "corpora.read_csv_signals": {"path": file("signals.csv")},
    "corpora.read_numpy_signals": {"path": file("signals.npy")},
    "corpora.read_source": {"text": "a = 1\n", "path": "source.py"},
    "corpora.read_source_file": {"file": file("source.py"), "path": "source.py"},
    "corpora.read_word_vectors": {"path": file("vectors.txt"), "wanted": ["the"]},
    "corpora.read_standard_library": {"root": Later(folder), "limit": 2},
    "corpora.standard_library_files": {"root": Later(folder)},
    "corpora.split_of": {"path": "source.py"},
    "corpora.write_table": {"path": file("new.tsv"), "sentences": [SENTENCE]},
}


# On which object a method is called, by the class that defines it.
OBJECTS: dict[str, Any] = {
    "Layer.build": lambda: es.layers.Dense(3, name="label"),
    "Layer.build_from_config": lambda: es.layers.Dense(3, name="label"),
    "Layer.compute_output_spec": layer,
    "AUC": lambda: es.metrics.AUC(num_thresholds=5),
    "Applies": optimizer,
    "Bidirectional": lambda: es.layers.Bidirectional(es.layers.LSTM(2)),
    "ByOutput": lambda: es.metrics.R2Score(),
    "CRFLoss": lambda: es.losses.CRFLoss(),
    "Cell": lambda: es.layers.LSTMCell(2),
    "Compiles": fresh_model,
    "Configurable": lambda: es.layers.Dense(2),
    "Confusion": lambda: es.metrics.Precision(),
    "NonNeg": lambda: es.constraints.NonNeg(),
    "Softmax": lambda: es.layers.Softmax(name="label"),
    "CosineDecay": lambda: es.optimizers.schedules.CosineDecay(0.1, 10),
    "CosineDecayRestarts": lambda: es.optimizers.schedules.CosineDecayRestarts(0.1, 10),
    "Explanation": explanation,
    "ExponentialDecay": lambda: es.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5),
    "FScore": lambda: es.metrics.F1Score(),
    "Initializer": lambda: es.initializers.Zeros(),
    "InverseTimeDecay": lambda: es.optimizers.schedules.InverseTimeDecay(0.1, 10, 0.5),
    "Layer": layer,
    "LayerLosses": layer,
    "LayerStateless": layer,
    "LayerTree": layer,
    "LayerWeights": layer,
    "Loss": lambda: es.losses.MeanSquaredError(),
    "LossScaleOptimizer": lambda: es.optimizers.LossScaleOptimizer(optimizer()),
    "MajorityBaseline": lambda: BASELINE,
    "MaxNorm": lambda: es.constraints.MaxNorm(),
    "Mean": lambda: es.metrics.Mean(),
    "Metric": lambda: es.metrics.Mean(),
    "MinMaxNorm": lambda: es.constraints.MinMaxNorm(),
    "Model": model,
    "OfSymbols": functional,
    "Optimizer": optimizer,
    "OptaxOptimizer": optimizer,
    "OrthogonalRegularizer": lambda: es.regularizers.OrthogonalRegularizer(),
    "Overlap": lambda: es.metrics.BinaryIoU(),
    "PairMean": lambda: es.metrics.MeanSquaredError(),
    "PiecewiseConstantDecay": lambda: es.optimizers.schedules.PiecewiseConstantDecay([1], [2, 3]),
    "PolynomialDecay": lambda: es.optimizers.schedules.PolynomialDecay(0.1, 10),
    "R2Score": lambda: es.metrics.R2Score(),
    "Reader": lambda: es.corpora.reader("jsonl"),
    "Recurrent": reader,
    "Sampled": lambda: es.initializers.Zeros(),
    "SeedGenerator": lambda: es.random.SeedGenerator(7),
    "Sequential": fresh_model,
    "SignalTagger": signal_tagger,
    "StackedRNNCells": lambda: es.layers.StackedRNNCells([es.layers.LSTMCell(2)]),
    "Steps": lambda: es.Steps.of(X, np.array([[1] * 4, [2] * 4])),
    "Sum": lambda: es.metrics.Sum(),
    "Tagger": tagger,
    "Trainer": model,
    "UnitNorm": lambda: es.constraints.UnitNorm(),
    "Variable": weight,
    "Vocabulary": lambda: es.corpora.Vocabulary(["a", "b"]),
    "Windows": lambda: es.corpora.Windows(4, 1),
    "L1": lambda: es.regularizers.L1(),
    "L1L2": lambda: es.regularizers.L1L2(0.1, 0.1),
    "L2": lambda: es.regularizers.L2(),
    "Comparison": lambda: es.compare({"one": es.layers.Dense(2)}, (None, 4, 3)),
    "DTypePolicy": lambda: es.DTypePolicy("float32"),
    "InputSpec": lambda: es.InputSpec(ndim=3),
}


def arguments_of(point: EntryPoint, required: tuple[str, ...]) -> dict[str, Any]:
    """Return arguments by name with which an entry point works.

    Raises:
        KeyError: nobody has said yet what a parameter takes.
    """
    given = {name: BY_NAME[name] for name in required if name not in OWN.get(point.name, {})}
    given |= OWN.get(point.name, {})
    return {k: value.make() if isinstance(value, Later) else value for k, value in given.items()}
