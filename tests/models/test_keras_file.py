"""Keras's files both ways: what one library writes, the other reads, and predicts the same."""

import json
import zipfile
from collections.abc import Callable
from inspect import isfunction
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest
from hypothesis import Phase, given, settings

import everystep as es
from everystep.core.naming import snake_case
from everystep.core.registry import _registered, serialize
from everystep.errors import FormatError, SettingError
from everystep.models.keras_config import OURS
from tests.catalogue import ENTRIES, Entry
from tests.catalogue.doubled import Doubled
from tests.models.entries import model_of
from tests.models.graphs import OPERATORS, Plan, plans
from tests.tolerances import assert_close

FEATURES = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def leaves(tree: Any) -> list[Any]:
    """The arrays of an output, without the segments that only ours carry."""
    values = jax.tree.map(
        lambda leaf: leaf.values if isinstance(leaf, es.Steps) else leaf,
        tree,
        is_leaf=lambda leaf: isinstance(leaf, es.Steps),
    )
    return [np.asarray(leaf) for leaf in jax.tree.leaves(values)]


def assert_same(found: Any, wanted: Any) -> None:
    for left, right in zip(leaves(found), leaves(wanted), strict=True):
        assert_close(left, right)


def assert_same_outputs(left: Any, right: Any, inputs: Any) -> None:
    assert_same(left(inputs), right(inputs))


def changed(model: Any) -> Any:
    """A model of either library with weights that no initializer would draw."""
    random = np.random.default_rng(5)
    model.set_weights([0.5 * random.normal(size=w.shape) ** 2 for w in model.get_weights()])
    return model


def is_of_use(entry: Entry) -> bool:
    """Whether all that an entry's layer is made of is in Keras, and no other entry stands for it.

    Variants of layers that hold layers are other trees, so each of those is of use.
    """
    layer = entry.make()
    if entry.states or (entry.variant and not layer.sublayers()):
        return False
    if entry.name == "MultiHeadAttention":  # Keras cannot call it with values larger than keys.
        return False
    text = json.dumps(serialize(layer.layer if isinstance(layer, Doubled) else layer))
    own = [f'"class_name": "{name}"' for name in ("InputLayer", *OURS)]
    return not any(word in text for word in ('"registered_name": "tests>', *own))


IN_KERAS = [entry for entry in ENTRIES if is_of_use(entry)]


@pytest.mark.parametrize("entry", IN_KERAS, ids=lambda entry: entry.name)
def test_every_layer_goes_to_keras_and_comes_back(tmp_path: Path, entry: Entry) -> None:
    model, count = model_of(entry, entry.shape)
    ours, inputs = changed(model), entry.inputs()
    inputs = inputs if count == 1 else [inputs, inputs[..., ::-1]]
    ours.save(tmp_path / "ours.keras")
    # Functions have a name in a table of each library's own.
    functions = {name: thing for name, thing in _registered.items() if isfunction(thing)}
    functions |= {function.__name__: function for function in functions.values()}
    theirs = keras.saving.load_model(tmp_path / "ours.keras", functions)
    theirs.save(tmp_path / "theirs.keras")
    again = es.load_model(tmp_path / "theirs.keras", functions)
    wanted = ours(inputs)
    assert_same(theirs(inputs), wanted)
    assert_same(again(inputs), wanted)


@pytest.mark.parametrize("name", es.layers.CATALOGUE.classes)
def test_names_are_those_of_keras(name: str) -> None:
    from keras.src.utils.naming import to_snake_case

    theirs = getattr(keras.layers, name, None)
    assert (theirs is None) == (name in OURS)
    if theirs is not None:
        ours = es.layers.CATALOGUE.classes[name]
        assert snake_case(ours.__name__) == to_snake_case(theirs.__name__)


def test_a_layer_that_keras_does_not_have_is_named(tmp_path: Path) -> None:
    each = es.layers.PerStep(es.layers.Dense(2), name="each")
    model = es.Sequential([es.Input((4, 3)), each])
    with pytest.raises(SettingError, match=r"'each' \(PerStep\) is not in Keras.*\.everystep"):
        model.save(tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(plans(("dense", "nested", "row", "lstm", *OPERATORS), most=6))
def test_graphs_go_both_ways(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> None:
    folder = tmp_path_factory.mktemp("graph")
    ours, theirs = changed(plan.make(es)), changed(plan.make(keras))
    ours.save(folder / "ours.keras")
    theirs.save(folder / "theirs.keras")
    assert_same_outputs(keras.saving.load_model(folder / "ours.keras"), ours, plan.data())
    assert_same_outputs(es.load_model(folder / "theirs.keras"), theirs, plan.data())
    ours.load_weights(folder / "theirs.keras")
    assert_same_outputs(ours, theirs, plan.data())


def test_a_tagger_that_spells_its_words_goes_both_ways(tmp_path: Path) -> None:
    """Keras takes joined features for real wherever some have no mask, and writes so."""

    def made(library: Any) -> Any:
        layers = library.layers
        chars = library.Input((None, 6), dtype="int32")
        words = library.Input((None,), dtype="int32")
        spelled = layers.TimeDistributed(
            library.Sequential([layers.Embedding(9, 2, mask_zero=True), layers.GRU(3)])
        )(chars)
        both = [layers.Embedding(9, 4, mask_zero=True)(words), spelled]
        read = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
        return library.Model([chars, words], read(layers.Concatenate()(both)))

    theirs = changed(made(keras))
    theirs.save(tmp_path / "theirs.keras")
    ours = es.load_model(tmp_path / "theirs.keras")
    words = np.array([[3, 1, 2, 0], [2, 5, 0, 0]], "int32")
    chars = words[..., None] * np.array([1, 1, 1, 1, 0, 0], "int32")
    assert_same_outputs(ours, theirs, [chars, words])
    ours.save(tmp_path / "ours.keras")
    assert_same_outputs(keras.saving.load_model(tmp_path / "ours.keras"), theirs, [chars, words])


# Models whose tree of layers is not a row: the same source, once in each library.


def parts_of(library: Any) -> Any:
    """Classes of one's own, as people write them for Keras."""
    layers, register = library.layers, library.saving.register_keras_serializable

    @register(package="parts")
    class Block(layers.Layer):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.wide = layers.Dense(4)
            self.many = [layers.Dense(4), [layers.Dense(4)], {"last": layers.Dense(3)}]
            self._hidden = layers.Dense(3)
            self.seeds = library.random.SeedGenerator(3)

        def build(self, input_shape: Any) -> None:
            self.fixed = self.add_weight(shape=(3,), trainable=False, name="fixed")
            self.scale = self.add_weight(shape=(3,), name="scale")
            self.wide.build(input_shape)
            for layer in (self.many[0], self.many[1][0], self.many[2]["last"]):
                layer.build((*input_shape[:-1], 4))
            self._hidden.build(input_shape)

        def call(self, inputs: Any) -> Any:
            wide = self.many[1][0](self.many[0](self.wide(inputs)))
            return self._hidden(self.many[2]["last"](wide)) * self.scale + self.fixed

    @register(package="parts")
    class Reader(library.Model):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.tell = layers.Dense(2)
            self.block = Block()
            self.again = library.Sequential([layers.Dense(4), layers.Dense(3)])
            self.a_dense = layers.Dense(3)

        def call(self, inputs: Any) -> Any:
            return self.tell(self.again(self.a_dense(self.block(inputs))))

    @register(package="parts")
    class Drawn(library.Model):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self, **settings: Any) -> None:
            start = library.Input((None, 3))
            a_last, a_first = layers.Dense(2), layers.Dense(4)
            super().__init__(start, a_last(a_first(start)), **settings)
            self.a_last, self.a_first = a_last, a_first

    return {
        "block": lambda: library.Sequential([library.Input((None, 3)), Block()]),
        "reader": Reader,
        "drawn": Drawn,
    }


OURS_AND_THEIRS = parts_of(es), parts_of(keras)


@pytest.mark.parametrize("kind", ["block", "reader", "drawn"])
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_of_layers_of_ones_own(tmp_path: Path, kind: str, suffix: str) -> None:
    ours, theirs = (parts[kind]() for parts in OURS_AND_THEIRS)
    ours(FEATURES), theirs(FEATURES)
    changed(theirs)
    path = tmp_path / f"m{suffix}"
    (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(path)
    ours.load_weights(path)
    assert_same_outputs(ours, theirs, FEATURES)
    changed(ours).set_weights([2 * weight for weight in ours.get_weights()])
    (ours.save_weights if suffix == ".weights.h5" else ours.save)(path)
    theirs.load_weights(path)
    assert_same_outputs(ours, theirs, FEATURES)


@pytest.mark.parametrize("kind", ["block", "reader", "drawn"])
def test_models_of_ones_own(tmp_path: Path, kind: str) -> None:
    ours, theirs = (parts[kind]() for parts in OURS_AND_THEIRS)
    ours(FEATURES), theirs(FEATURES)
    changed(ours).save(tmp_path / "ours.keras")
    changed(theirs).save(tmp_path / "theirs.keras")
    assert_same_outputs(keras.saving.load_model(tmp_path / "ours.keras"), ours, FEATURES)
    assert_same_outputs(es.load_model(tmp_path / "theirs.keras"), theirs, FEATURES)


def test_a_layer_in_two_places_stays_one(tmp_path: Path) -> None:
    shared = es.layers.Dense(3)
    each = es.layers.TimeDistributed(shared)
    ours = changed(es.Sequential([es.Input((None, 3)), each, shared]))
    ours.save(tmp_path / "ours.keras")
    for again in (
        es.load_model(tmp_path / "ours.keras"),
        keras.saving.load_model(tmp_path / "ours.keras"),
    ):
        assert len(again.weights) == 2
        assert_same_outputs(again, ours, FEATURES)


def test_low_precision_is_kept(tmp_path: Path) -> None:
    def made(library: Any) -> Any:
        layers = library.layers
        row = [layers.Dense(4, dtype="bfloat16"), layers.Dense(2, dtype="mixed_bfloat16")]
        return library.Sequential([library.Input((None, 3)), *row])

    ours = changed(made(es))
    ours.save(tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    again = es.load_model(tmp_path / "theirs.keras")
    for wanted, middle, found in zip(ours.weights, theirs.weights, again.weights, strict=True):
        assert str(wanted.dtype) == middle.dtype == str(found.dtype)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


def test_random_state_of_earlier_versions_is_left_alone(tmp_path: Path) -> None:
    import h5py

    model = es.Sequential([es.Input((None, 3)), es.layers.Dropout(0.5), es.layers.Dense(2)])
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        file["layers/dropout/seed_generator/vars/0"] = np.array([1, 2], "uint32")
    model.load_weights(tmp_path / "m.weights.h5")


def test_training_settings_go_both_ways(tmp_path: Path) -> None:
    def made(library: Any) -> Any:
        model = library.Sequential([library.Input((None, 3)), library.layers.Dense(1)])
        loss = library.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
        model.compile(library.optimizers.Adam(0.25, clipnorm=1.0), loss, metrics=["mae"])
        return changed(model)

    ours, theirs = made(es), made(keras)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    for again in (
        es.load_model(tmp_path / "theirs.keras"),
        keras.saving.load_model(tmp_path / "ours.keras"),
    ):
        assert float(again.optimizer.learning_rate) == 0.25
        assert again.optimizer.clipnorm == 1.0
        measured = again.evaluate(FEATURES, FEATURES[..., :1] > 0, verbose=0)
        wanted = ours.evaluate(FEATURES, FEATURES[..., :1] > 0, verbose=0)
        np.testing.assert_allclose(measured, wanted, rtol=1e-5)
    assert es.load_model(tmp_path / "theirs.keras", compile=False).optimizer is None


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adam": lambda room: room.Adam(0.1, amsgrad=True),
    "momentum": lambda room: room.SGD(0.1, momentum=0.9, nesterov=True),
    "a schedule": lambda room: room.RMSprop(room.schedules.ExponentialDecay(0.1, 1, 0.5)),
    "a scaled loss": lambda room: room.LossScaleOptimizer(room.SGD(0.1, momentum=0.9)),
    "averages": lambda room: room.Nadam(0.1, use_ema=True, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize(
    ("case", "suffix"), [*((case, ".keras") for case in OPTIMIZERS), ("adam", ".weights.h5")]
)
def test_training_goes_on_in_the_other_library(tmp_path: Path, case: str, suffix: str) -> None:
    def made(library: Any) -> Any:
        layers = [library.layers.Dense(4, "tanh"), library.layers.Dense(1)]
        model = library.Sequential([library.Input((3,)), *layers])
        model.compile(OPTIMIZERS[case](library.optimizers), "mse")
        model.optimizer.build(model.trainable_variables)
        return changed(model)

    def handed_on(model: Any, library: Any) -> Any:
        if suffix == ".keras":
            model.save(tmp_path / "m.keras")
            return library.saving.load_model(tmp_path / "m.keras")
        model.save_weights(tmp_path / "m.weights.h5")
        other = made(library)
        other.load_weights(tmp_path / "m.weights.h5")
        return other

    features, targets = FEATURES[0], FEATURES[1, :, :1]
    ours, theirs = made(es), made(keras)
    for _ in range(3):
        ours.train_on_batch(features, targets)
        theirs.train_on_batch(features, targets)
    models = [ours, handed_on(ours, keras), handed_on(theirs, es), theirs]
    for model in models:
        model.train_on_batch(features, targets)
    for model in models:
        assert [v.shape for v in model.optimizer.variables] == [
            v.shape for v in theirs.optimizer.variables
        ]
        for found, wanted in zip(model.get_weights(), theirs.get_weights(), strict=True):
            assert_close(found, wanted)


MANY: dict[str, Callable[[Any], dict[str, Any]]] = {
    "lists": lambda library: {
        "loss": ["mse", library.losses.MeanAbsoluteError()],
        "loss_weights": [1.0, 0.25],
        "metrics": [["mae"], [library.metrics.MeanSquaredError(name="far")]],
    },
    "names": lambda library: {
        "loss": {"first": "mse", "second": library.losses.MeanAbsoluteError()},
        "loss_weights": {"first": 1.0, "second": 0.25},
        "metrics": {"second": ["mae"]},
    },
}


@pytest.mark.parametrize("case", MANY)
def test_training_of_several_outputs_goes_on_in_the_other_library(
    tmp_path: Path, case: str
) -> None:
    def made(library: Any) -> Any:
        start = library.Input((3,))
        first = library.layers.Dense(2, name="first")(start)
        second = library.layers.Dense(1, name="second")(first)
        named = {"first": first, "second": second}
        model = library.Model(start, named if case == "names" else [first, second])
        model.compile(library.optimizers.SGD(0.1, momentum=0.5), **MANY[case](library))
        return changed(model)

    targets: Any = [FEATURES[1, :, :2], FEATURES[1, :, 2:]]
    if case == "names":
        targets = dict(zip(("first", "second"), targets, strict=True))
    ours, theirs = made(es), made(keras)
    for model in (ours, theirs):
        model.train_on_batch(FEATURES[0], targets)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    models = [
        ours,
        keras.saving.load_model(tmp_path / "ours.keras"),
        es.load_model(tmp_path / "theirs.keras"),
        theirs,
    ]
    for model in models:
        model.train_on_batch(FEATURES[0], targets)
    wanted = theirs.evaluate(FEATURES[0], targets, verbose=0, return_dict=True)
    for model in models:
        found = model.evaluate(FEATURES[0], targets, verbose=0, return_dict=True)
        assert found.keys() == wanted.keys()
        for name, value in found.items():
            np.testing.assert_allclose(value, wanted[name], rtol=1e-5)


def test_an_optimizer_that_has_made_no_step_goes_both_ways(tmp_path: Path) -> None:
    def made(library: Any) -> Any:
        model = library.Sequential([library.Input((3,)), library.layers.Dense(1)])
        model.compile(library.optimizers.Adam(0.25), "mse")
        return model

    made(es).save(tmp_path / "ours.keras")
    assert len(keras.saving.load_model(tmp_path / "ours.keras").optimizer.variables) == 6
    made(keras).save(tmp_path / "theirs.keras")
    assert float(es.load_model(tmp_path / "theirs.keras").optimizer.learning_rate) == 0.25


def test_the_state_of_another_optimizer_is_left_out_aloud(tmp_path: Path) -> None:
    model, other = (es.Sequential([es.Input((3,)), es.layers.Dense(1)]) for _ in range(2))
    model.compile("adam", "mse")
    model.save_weights(tmp_path / "m.weights.h5")
    other.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="SGD for this model, with 2 variables, but has 6"):
        other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    uncompiled = es.Sequential([es.Input((3,)), es.layers.Dense(1)])
    uncompiled.load_weights(tmp_path / "m.weights.h5")


def test_missing_and_extra_weights_are_both_listed(tmp_path: Path) -> None:
    es.Sequential([es.Input((3,)), es.layers.Dense(2)]).save_weights(tmp_path / "m.weights.h5")
    model = es.Sequential([es.Input((3,)), es.layers.Embedding(2, 3, name="words")])
    with pytest.raises(FormatError) as caught:
        model.load_weights(tmp_path / "m.weights.h5")
    missing, extra = str(caught.value).split("Not in the model")
    assert "layers/embedding/vars/0 (" in missing
    assert "words/embeddings)" in missing
    assert "layers/dense/vars/1" in extra


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_weights_that_do_not_fit_can_be_left_out(tmp_path: Path, suffix: str) -> None:
    def made(labels: int) -> Any:
        layers = [es.layers.Dense(4), es.layers.Dense(labels, name=f"labels_of_{labels}_")]
        return changed(es.Sequential([es.Input((3,)), *layers]))

    model, other = made(2), made(5)
    before = model.get_weights()
    other.set_weights([2 * weight for weight in other.get_weights()])
    other.save_weights(tmp_path / f"m{suffix}")
    with pytest.raises(FormatError):
        model.load_weights(tmp_path / f"m{suffix}")
    with pytest.warns(UserWarning, match=r"keep their values: .*labels_of_2_/kernel"):
        model.load_weights(tmp_path / f"m{suffix}", skip_mismatch=True)
    for number, weight in enumerate(model.get_weights()):
        wanted = other.get_weights()[number] if number < 2 else before[number]
        np.testing.assert_array_equal(weight, wanted)


@pytest.mark.parametrize("kind", ["block", "reader", "drawn"])
def test_what_is_written_is_laid_out_as_by_keras(tmp_path: Path, kind: str) -> None:
    def places(model: Any, name: str) -> list[str]:
        import h5py

        model.save_weights(tmp_path / name)
        found: list[str] = []
        with h5py.File(tmp_path / name) as file:
            file.visititems(
                lambda place, item: found.append(place) if isinstance(item, h5py.Dataset) else None
            )
        return found

    models = [parts[kind]() for parts in OURS_AND_THEIRS]
    for model in models:
        model(FEATURES)
    ours, theirs = (places(model, f"{n}.weights.h5") for n, model in enumerate(models))
    assert ours == theirs


# What a .keras file may do to its reader.


def dense() -> Any:
    return es.Sequential([es.Input((2,)), es.layers.Dense(3)])


def rewritten(path: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """A .keras file of a dense layer with other members."""
    dense().save(path)
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize("version", ["2.15.0", "4.0.0", "30.1", None, 3, ["3.0"]])
def test_other_versions_are_refused(tmp_path: Path, version: Any) -> None:
    path = rewritten(
        tmp_path / "m.keras",
        lambda members: members.update(
            {"metadata.json": json.dumps({"keras_version": version}).encode()}
        ),
    )
    with pytest.raises(FormatError, match=r"m\.keras: metadata\.json: keras_version"):
        es.load_model(path)
