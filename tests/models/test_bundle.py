import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.errors import FormatError, SettingError, StateError
from everystep.formats import read_tensors, write_tensors
from everystep.models.matching import matched, places_of, renumbered

layers = es.layers


def values(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def tagger() -> es.Sequential:
    return es.Sequential(
        [
            es.Input(shape=(None,), dtype="int32"),
            layers.Embedding(11, 4, mask_zero=True),
            layers.LSTM(6, return_sequences=True, kernel_regularizer="l2"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


IDS = np.random.default_rng(0).integers(0, 11, (2, 7)).astype("int32")
FEATURES = values(1, 2, 4, 3)

MODELS: dict[str, tuple[Callable[[], Any], Any]] = {
    "tagger": (tagger, IDS),
    "bidirectional": (
        lambda: es.Sequential(
            [layers.Bidirectional(layers.LSTM(2, return_sequences=True)), layers.Dense(2)]
        ),
        FEATURES,
    ),
    "model in a model": (
        lambda: es.Sequential(
            [layers.TimeDistributed(es.Sequential([layers.Dense(5), layers.Dense(2)]))]
        ),
        FEATURES,
    ),
    "own weights for each step": (
        lambda: es.Sequential([layers.PerStep(layers.Dense(5, input_shape=(3,)))]),
        FEATURES,
    ),
    "flat": (
        lambda: es.Sequential([layers.Flatten(), layers.Dense(20), layers.Reshape((4, 5))]),
        FEATURES,
    ),
    "half precision": (
        lambda: es.Sequential([layers.Dense(5, dtype="bfloat16")]),
        FEATURES,
    ),
}


def changed(model: Any, data: Any) -> Any:
    """Build a model and give it weights that no initializer would draw."""
    model(data)
    model.set_weights(
        [values(number, *weight.shape) for number, weight in enumerate(model.get_weights())]
    )
    return model


def assert_same_model(found: Any, wanted: Any, data: Any) -> None:
    assert found.get_config() == wanted.get_config()
    for left, right in zip(found.get_weights(), wanted.get_weights(), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(np.asarray(found(data)), np.asarray(wanted(data)))


@pytest.mark.parametrize("case", MODELS)
def test_a_saved_model_is_the_same_model(tmp_path: Path, case: str) -> None:
    make, data = MODELS[case]
    model = changed(make(), data)
    model.save(tmp_path / "m.everystep")
    assert_same_model(es.load_model(tmp_path / "m.everystep"), model, data)


@pytest.mark.parametrize("case", MODELS)
def test_weights_go_into_the_same_model_built_again(tmp_path: Path, case: str) -> None:
    make, data = MODELS[case]
    model, again = changed(make(), data), make()
    again(data)
    assert model.name != again.name
    model.save_weights(tmp_path / "m.safetensors")
    again.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(np.asarray(again(data)), np.asarray(model(data)))


def test_a_new_process_loads_the_model(tmp_path: Path) -> None:
    model = changed(tagger(), IDS)
    model.save(tmp_path / "m.everystep")
    np.save(tmp_path / "ids.npy", IDS)
    np.save(tmp_path / "outputs.npy", np.asarray(model(IDS)))
    program = (
        "import numpy as np, everystep as es\n"
        "model = es.load_model('m.everystep')\n"
        "np.testing.assert_array_equal("
        "np.asarray(model(np.load('ids.npy'))), np.load('outputs.npy'))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_weights_of_a_model_file_go_into_a_model(tmp_path: Path) -> None:
    model, again = changed(tagger(), IDS), tagger()
    model.save(tmp_path / "m.everystep")
    again.load_weights(tmp_path / "m.everystep")
    np.testing.assert_array_equal(np.asarray(again(IDS)), np.asarray(model(IDS)))


def test_training_settings_come_back(tmp_path: Path) -> None:
    model = tagger()
    model.compile(
        es.optimizers.Adam(0.25, clipnorm=1.0),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.save(tmp_path / "m.everystep")
    again = es.load_model(tmp_path / "m.everystep")
    assert again.get_compile_config() == model.get_compile_config()
    assert again.optimizer.learning_rate == 0.25
    labels = IDS % 3
    assert again.evaluate(IDS, labels, verbose=0) == model.evaluate(IDS, labels, verbose=0)
    assert es.load_model(tmp_path / "m.everystep", compile=False).optimizer is None


def test_training_settings_that_cannot_be_written_are_left_out_aloud(tmp_path: Path) -> None:
    model = es.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("adam", lambda y_true, y_pred: (y_true - y_pred) ** 2)
    with pytest.warns(UserWarning, match="training settings"):
        model.save(tmp_path / "m.everystep")
    assert es.load_model(tmp_path / "m.everystep").optimizer is None


def test_loading_draws_no_random_numbers(tmp_path: Path) -> None:
    def first_weights() -> Any:
        return es.Sequential([layers.Dense(4, input_shape=(3,))]).get_weights()[0]

    es.Sequential([layers.Dense(4, input_shape=(3,))]).save(tmp_path / "m.everystep")
    es.utils.set_random_seed(3)
    wanted = first_weights()
    es.utils.set_random_seed(3)
    es.load_model(tmp_path / "m.everystep")
    np.testing.assert_array_equal(first_weights(), wanted)


def test_a_stateful_model_is_saved_without_the_state_of_a_call(tmp_path: Path) -> None:
    model = es.Sequential(
        [layers.LSTM(3, stateful=True, return_sequences=True, batch_input_shape=(2, 4, 3))]
    )
    model(FEATURES)
    model.save(tmp_path / "m.everystep")
    names = {name.split("/")[-1] for name in read_tensors(tmp_path / "m.everystep").tensors}
    assert names == {"kernel", "recurrent_kernel", "bias"}
    again = es.load_model(tmp_path / "m.everystep")
    for left, right in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


class Reader(es.models.Model):
    def __init__(self, units: int = 4, **settings: Any) -> None:
        super().__init__(**settings)
        self.read = layers.LSTM(units, return_sequences=True)
        self.label = layers.Dense(3)

    def call(self, inputs: Any) -> Any:
        return self.label(self.read(inputs))


class Pair(es.models.Model):
    def __init__(self) -> None:
        super().__init__()
        self.pair = [layers.Dense(3, name="same"), layers.Dense(3, name="same")]

    def call(self, inputs: Any) -> Any:
        return self.pair[1](self.pair[0](inputs))


class Twice(layers.Layer):
    stepwise = True

    def call(self, inputs: Any) -> Any:
        return 2 * inputs


def test_a_model_of_your_own_needs_its_class(tmp_path: Path) -> None:
    model = changed(Reader(5), FEATURES)
    model.save(tmp_path / "m.everystep")
    with pytest.raises(FormatError, match="'Reader', which is not registered"):
        es.load_model(tmp_path / "m.everystep")
    again = es.load_model(tmp_path / "m.everystep", custom_objects={"Reader": Reader})
    assert isinstance(again, Reader)
    np.testing.assert_array_equal(np.asarray(again(FEATURES)), np.asarray(model(FEATURES)))


def test_a_layer_of_your_own_in_a_scope(tmp_path: Path) -> None:
    model = es.Sequential([Twice(input_shape=(3,))])
    model.save(tmp_path / "m.everystep")
    with es.saving.custom_object_scope({"Twice": Twice}):
        again = es.load_model(tmp_path / "m.everystep")
    assert isinstance(again.layers[0], Twice)


def test_a_model_that_is_not_built_comes_back_not_built(tmp_path: Path) -> None:
    model = es.Sequential([layers.Dense(2)])
    model.save(tmp_path / "m.everystep")
    assert not es.load_model(tmp_path / "m.everystep").built
    with pytest.raises(StateError, match="not built"):
        model.save_weights(tmp_path / "m.safetensors")


# What does not fit is said, and changes nothing.


def dense(*sizes: int) -> es.Sequential:
    return es.Sequential([es.Input(shape=(2,)), *(layers.Dense(size) for size in sizes)])


def test_missing_and_extra_weights_are_both_listed(tmp_path: Path) -> None:
    dense(3).save_weights(tmp_path / "m.safetensors")
    model = es.Sequential([es.Input(shape=(2,)), layers.Embedding(2, 3, name="words")])
    with pytest.raises(FormatError) as caught:
        model.load_weights(tmp_path / "m.safetensors")
    missing, extra = str(caught.value).split("Not in the model")
    assert "words/embeddings" in missing
    assert "kernel" in extra
    assert "bias" in extra


def test_one_layer_too_many_is_listed(tmp_path: Path) -> None:
    dense(3, 3).save_weights(tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match=r"Not in the model: .*kernel"):
        dense(3).load_weights(tmp_path / "m.safetensors")


def test_other_shapes_are_named_and_nothing_changes(tmp_path: Path) -> None:
    model = dense(3, 4)
    before = model.get_weights()
    dense(3, 5).save_weights(tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match=r"kernel' is float32 \(3, 5\) .*\(3, 4\) in the model"):
        model.load_weights(tmp_path / "m.safetensors")
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_other_kinds_of_numbers_are_refused(tmp_path: Path) -> None:
    model = dense(3)
    arrays = {
        path: np.asarray(variable).astype("int32") for path, variable in places_of(model).items()
    }
    write_tensors(tmp_path / "m.safetensors", arrays, {})
    with pytest.raises(FormatError, match="int32"):
        model.load_weights(tmp_path / "m.safetensors")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_broken_weights_are_named(tmp_path: Path, value: float) -> None:
    model = dense(3)
    kernel, bias = model.get_weights()
    kernel[1, 2] = value
    model.set_weights([kernel, bias])
    model.save_weights(tmp_path / "m.safetensors")
    with pytest.warns(UserWarning, match="NaN or infinite") as caught:
        model.load_weights(tmp_path / "m.safetensors")
    assert "kernel" in str(caught[0].message)
    assert "bias" not in str(caught[0].message)


def test_the_format_before_keras_3_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"must end with \.everystep or \.keras"):
        dense(3).save(tmp_path / "m.h5")
    with pytest.raises(FormatError, match=r"must end with \.safetensors or \.weights\.h5"):
        dense(3).save_weights(tmp_path / "m.h5")
    with pytest.raises(FormatError, match=r"before Keras 3.*save it as \.keras"):
        es.load_model(tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


def test_code_is_never_run(tmp_path: Path) -> None:
    dense(3).save(tmp_path / "m.everystep")
    with pytest.raises(SettingError, match="safe_mode"):
        es.load_model(tmp_path / "m.everystep", safe_mode=False)


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"must end with \.everystep"):
        dense(3).save(tmp_path / "model")


def test_a_file_is_kept_without_overwrite(tmp_path: Path) -> None:
    dense(3).save(tmp_path / "m.everystep")
    with pytest.raises(FormatError, match="overwrite=False"):
        dense(4).save(tmp_path / "m.everystep", overwrite=False)
    assert es.load_model(tmp_path / "m.everystep").output_shape == (None, 3)


def test_a_failed_save_keeps_the_model_that_was_there(tmp_path: Path) -> None:
    class Local(layers.Layer):
        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"thing": object()}

    dense(3).save(tmp_path / "m.everystep")
    bad = es.Sequential([layers.Dense(3, activation=np.tanh)])
    with pytest.raises(SettingError):
        bad.save(tmp_path / "m.everystep")
    assert es.load_model(tmp_path / "m.everystep").output_shape == (None, 3)


def test_weights_alone_are_not_a_model(tmp_path: Path) -> None:
    dense(3).save_weights(tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match="weights only"):
        es.load_model(tmp_path / "m.safetensors")


# Matching by place.


def test_paths_that_agree_are_taken_as_they_are() -> None:
    arrays = {"a/dense_2/kernel": np.zeros(1), "a/dense_1/kernel": np.ones(1)}
    assert matched(list(arrays), arrays, "file") == arrays


def test_numbers_beyond_nine_keep_their_order() -> None:
    paths = [f"dense_{number}/kernel" for number in range(8, 12)]
    assert list(renumbered(paths).values()) == [
        "dense/kernel",
        "dense_1/kernel",
        "dense_2/kernel",
        "dense_3/kernel",
    ]


def test_numbers_count_within_each_layer() -> None:
    paths = ["row_3/dense_5/kernel", "row_4/dense_6/kernel", "row_4/dense_7/kernel"]
    assert list(renumbered(paths).values()) == [
        "row/dense/kernel",
        "row_1/dense/kernel",
        "row_1/dense_1/kernel",
    ]


def test_a_layer_in_two_places_is_saved_once(tmp_path: Path) -> None:
    shared = layers.Dense(3, name="shared")
    each = layers.TimeDistributed(shared, name="each")
    model = es.Sequential([each, shared])
    changed(model, FEATURES).save_weights(tmp_path / "m.safetensors")
    assert list(places_of(model)) == ["each/shared/kernel", "each/shared/bias"]
    before = model.get_weights()
    model.set_weights([0 * weight for weight in before])
    model.load_weights(tmp_path / "m.safetensors")
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_two_layers_of_one_name_have_two_places() -> None:
    model = Pair()
    model(FEATURES)
    assert list(places_of(model)) == ["same/kernel", "same/bias", "same_1/kernel", "same_1/bias"]


def test_where_a_layer_was_built_does_not_matter(tmp_path: Path) -> None:
    def inner() -> es.Sequential:
        return es.Sequential([layers.Dense(2, name="a"), layers.Dense(3, name="b")], name="row")

    before, within = inner(), inner()
    before(FEATURES[:, 0])
    models = [
        es.Sequential([layers.TimeDistributed(part, name="each")]) for part in (before, within)
    ]
    first, second = (changed(model, FEATURES) for model in models)
    first.save_weights(tmp_path / "m.safetensors")
    second.load_weights(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(np.asarray(second(FEATURES)), np.asarray(first(FEATURES)))


def test_other_words_do_not_match() -> None:
    with pytest.raises(FormatError, match="Missing"):
        matched(["n/first/kernel"], {"n/second/kernel": np.zeros(1)}, "file")
