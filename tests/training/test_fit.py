"""Training does what its equations say: against Keras, against one-by-one sums, against itself."""

from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep.layers import LSTM, Dense, Dropout, Embedding, Flatten, Input
from tests.tolerances import GRADIENTS, assert_close

VOCABULARY, UNITS, CLASSES = 11, 5, 3


def tagger(mask_zero: bool = False, seed: int = 3) -> es.Sequential:
    es.utils.set_random_seed(seed)
    return es.Sequential(
        [
            Input((None,)),
            Embedding(VOCABULARY, 4, mask_zero=mask_zero),
            LSTM(UNITS, return_sequences=True),
            Dense(CLASSES),
        ]
    )


def logits_loss() -> es.losses.Loss:
    return es.losses.SparseCategoricalCrossentropy(from_logits=True)


def compiled(model: es.Sequential, **kwargs: Any) -> es.Sequential:
    model.compile(es.optimizers.SGD(0.5), logits_loss(), **kwargs)
    return model


def sentences(lengths: tuple[int, ...] = (4, 1, 7, 0, 3, 6)) -> tuple[list[Any], list[Any]]:
    draw = np.random.default_rng(5)
    ids = [draw.integers(1, VOCABULARY, n) for n in lengths]
    return ids, [sentence % CLASSES for sentence in ids]


def padded(sequences: list[Any]) -> Any:
    return es.utils.pad_sequences(sequences, padding="post")


class CountTraces(es.layers.Layer):
    """Passes its input on, and counts how often it is traced."""

    stepwise = True

    def __init__(self) -> None:
        super().__init__()
        self.traces: list[tuple[Any, ...]] = []

    def call(self, inputs: Any) -> Any:
        self.traces.append(tuple(inputs.shape))
        return inputs


class TestAgainstKeras:
    """The same model from the same weights on the same batches ends with the same weights."""

    @pytest.fixture
    def keras(self) -> Any:
        return pytest.importorskip("keras", reason="keras is a test extra")

    def keras_tagger(self, keras: Any, ours: es.Sequential, mask_zero: bool) -> Any:
        model = keras.Sequential(
            [
                keras.layers.Embedding(VOCABULARY, 4, mask_zero=mask_zero),
                keras.layers.LSTM(UNITS, return_sequences=True),
                keras.layers.Dense(CLASSES),
            ]
        )
        model.build((None, None))
        model.set_weights(ours.get_weights())
        return model

    @pytest.mark.parametrize("mask_zero", [False, True])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_weights_after_some_steps(self, keras: Any, mask_zero: bool, weighted: bool) -> None:
        draw = np.random.default_rng(0)
        x = draw.integers(0 if mask_zero else 1, VOCABULARY, (12, 6))
        y = draw.integers(0, CLASSES, (12, 6))
        weights = draw.uniform(0.5, 2, (12, 6)).astype("float32") if weighted else None
        ours = compiled(tagger(mask_zero))
        theirs = self.keras_tagger(keras, ours, mask_zero)
        theirs.compile(
            keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        ours.fit(x, y, batch_size=4, epochs=3, shuffle=False, sample_weight=weights)
        theirs.fit(x, y, batch_size=4, epochs=3, shuffle=False, sample_weight=weights, verbose=0)
        for found, wanted in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert_close(found, wanted, GRADIENTS)

    def test_measures(self, keras: Any) -> None:
        draw = np.random.default_rng(1)
        x, y = draw.integers(1, VOCABULARY, (10, 6)), draw.integers(0, CLASSES, (10, 6))
        ours = compiled(tagger(), metrics=["accuracy"])
        theirs = self.keras_tagger(keras, ours, mask_zero=False)
        theirs.compile(
            "sgd",
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        assert_close(
            np.array(ours.evaluate(x, y, batch_size=4)),
            np.array(theirs.evaluate(x, y, batch_size=4, verbose=0)),
        )
        assert_close(ours.predict(x), theirs.predict(x, verbose=0))


class TestLists:
    """Lists of arrays of different lengths: packed, counted and given back step by step."""

    def test_a_packed_step_is_a_padded_step(self) -> None:
        ids, labels = sentences()
        packed, rows = compiled(tagger()), compiled(tagger(mask_zero=True))
        packed.fit(ids, labels, batch_size=100)
        rows.fit(padded(ids), padded(labels), batch_size=100)
        for found, wanted in zip(packed.get_weights(), rows.get_weights(), strict=True):
            assert_close(found, wanted, GRADIENTS)

    def test_loss_and_accuracy_count_real_steps(self) -> None:
        ids, labels = sentences()
        model = compiled(tagger(), metrics=["accuracy"])
        loss, accuracy = model.evaluate(ids, labels)
        logits = np.concatenate([np.asarray(model(s[None]))[0] for s in ids if len(s)])
        wanted = np.concatenate(labels)
        log_sum = np.log(np.exp(logits).sum(-1))
        assert loss == pytest.approx(
            np.mean(log_sum - logits[np.arange(len(wanted)), wanted]), rel=1e-5
        )
        assert accuracy == pytest.approx(np.mean(logits.argmax(-1) == wanted))

    def test_predictions_come_back_in_order(self) -> None:
        ids, _ = sentences()
        model = tagger()
        outputs = model.predict(ids)
        assert [output.shape for output in outputs] == [(len(s), CLASSES) for s in ids]
        for sentence, output in zip(ids, outputs, strict=True):
            if len(sentence):
                assert_close(output, np.asarray(model(sentence[None]))[0])

    def test_an_epoch_compiles_once(self) -> None:
        counter = CountTraces()
        model = es.Sequential(
            [Embedding(VOCABULARY, 4), counter, LSTM(UNITS, return_sequences=True)]
        )
        model.add(Dense(CLASSES))
        compiled(model)
        draw = np.random.default_rng(0)
        ids = [draw.integers(1, VOCABULARY, n) for n in draw.integers(1, 30, 90)]
        labels = [sentence % CLASSES for sentence in ids]
        model.fit(ids, labels, batch_size=8)
        shapes = [shape for shape in counter.traces if all(isinstance(n, int) for n in shape)]
        before = len(shapes)
        assert len(set(shapes)) == 1
        counter.traces.clear()
        model.fit(ids, labels, batch_size=8, epochs=3)
        assert [s for s in counter.traces if all(isinstance(n, int) for n in s)] == []
        assert before <= 3  # shape inference of the outputs, value and gradient

    def test_a_model_that_takes_one_sequence_a_row(self) -> None:
        ids, _ = sentences((4, 1, 7, 3))
        labels = np.array([0, 1, 2, 1])
        es.utils.set_random_seed(1)
        model = es.Sequential([Embedding(VOCABULARY, 4), LSTM(UNITS), Dense(CLASSES)])
        compiled(model, metrics=["accuracy"])
        outputs = model.predict(ids)
        for sentence, output in zip(ids, outputs, strict=True):
            assert_close(output, np.asarray(model(sentence[None]))[0])
        before = model.evaluate(ids, labels)[0]
        model.fit(ids, labels, epochs=30, batch_size=4)
        assert model.evaluate(ids, labels)[0] < before / 2

    def test_sequences_of_one_length_go_into_any_model(self) -> None:
        draw = np.random.default_rng(0)
        x = [draw.normal(size=(4, 3)).astype("float32") for _ in range(6)]
        model = es.Sequential([Flatten(), Dense(CLASSES)])
        model.compile("sgd", logits_loss())
        model.fit(x, np.arange(6) % CLASSES)
        outputs = model.predict(x)
        assert isinstance(outputs, list)
        assert_close(np.stack(outputs), np.asarray(model(np.stack(x))))

    def test_class_weight_on_labels_of_steps(self) -> None:
        ids, labels = sentences()
        plain, weighted = compiled(tagger()), compiled(tagger())
        by_hand = [np.where(label == 1, 3.0, 1.0).astype("float32") for label in labels]
        plain.fit(ids, labels, batch_size=100, sample_weight=by_hand)
        weighted.fit(ids, labels, batch_size=100, class_weight={1: 3.0})
        for found, wanted in zip(weighted.get_weights(), plain.get_weights(), strict=True):
            assert_close(found, wanted, GRADIENTS)

    def test_one_weight_a_sequence_weighs_all_its_steps(self) -> None:
        ids, labels = sentences((4, 1, 7))
        spread = [np.full(len(s), w, "float32") for s, w in zip(ids, (1, 2, 3), strict=True)]
        first, second = compiled(tagger()), compiled(tagger())
        first.fit(ids, labels, sample_weight=np.array([1.0, 2.0, 3.0], "float32"))
        second.fit(ids, labels, sample_weight=spread)
        for found, wanted in zip(first.get_weights(), second.get_weights(), strict=True):
            assert_close(found, wanted, GRADIENTS)

    def test_validation(self) -> None:
        ids, labels = sentences((4, 1, 7, 2, 3, 6))
        model = compiled(tagger(), metrics=["accuracy"])
        history = model.fit(ids, labels, epochs=2, validation_data=(ids[:2], labels[:2])).history
        assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        wanted = model.evaluate(ids[:2], labels[:2], return_dict=True)
        assert history["val_loss"][-1] == pytest.approx(wanted["loss"], rel=1e-5)

    def test_validation_split_takes_the_last(self) -> None:
        ids, labels = sentences((4, 1, 7, 2))
        whole, part = compiled(tagger()), compiled(tagger())
        whole.fit(ids, labels, validation_split=0.5, batch_size=100)
        part.fit(ids[:2], labels[:2], batch_size=100)
        for found, wanted in zip(whole.get_weights(), part.get_weights(), strict=True):
            assert_close(found, wanted, GRADIENTS)


class TestState:
    def test_the_same_seed_gives_the_same_bits(self) -> None:
        ids, labels = sentences((4, 1, 7, 2, 9, 5))

        def trained() -> list[Any]:
            es.utils.set_random_seed(4)
            model = es.Sequential(
                [Embedding(VOCABULARY, 4), Dropout(0.3), LSTM(UNITS, return_sequences=True)]
            )
            model.add(Dense(CLASSES))
            compiled(model).fit(ids, labels, epochs=3, batch_size=2)
            return model.get_weights()

        for first, second in zip(trained(), trained(), strict=True):
            np.testing.assert_array_equal(first, second)

    def test_arrays_that_were_read_stay_valid(self) -> None:
        ids, labels = sentences()
        model = compiled(tagger())
        held = model.weights[0].value
        copy = np.array(held)
        model.fit(ids, labels)
        np.testing.assert_array_equal(np.asarray(held), copy)
        assert not np.array_equal(model.weights[0].numpy(), copy)

    def test_what_is_not_trainable_stays(self) -> None:
        ids, labels = sentences()
        model = compiled(tagger())
        model.fit(ids, labels)
        model.layers[0].trainable = False
        before = model.get_weights()
        model.fit(ids, labels)
        after = model.get_weights()
        np.testing.assert_array_equal(before[0], after[0])
        assert not np.array_equal(before[1], after[1])

    def test_a_stateful_layer_goes_on_from_batch_to_batch(self) -> None:
        model = es.Sequential([Input(batch_shape=(2, 3, 4)), LSTM(UNITS, stateful=True)])
        x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
        first, second = model.predict(x), model.predict(x)
        whole = LSTM(UNITS)
        whole.build((None, None, 4))
        whole.set_weights(model.get_weights()[:3])
        assert_close(first, np.asarray(whole(x)))
        assert_close(second, np.asarray(whole(np.concatenate([x, x], 1))))

    def test_a_regularizer_is_part_of_the_loss(self) -> None:
        x, y = np.ones((4, 2, 3), "float32"), np.zeros((4, 2), int)
        model = es.Sequential([Dense(CLASSES, kernel_regularizer=es.regularizers.L2(0.1))])
        model.compile("sgd", logits_loss())
        with_it = model.evaluate(x, y)
        kernel = model.get_weights()[0]
        plain = es.Sequential([Dense(CLASSES)])
        plain.build((None, None, 3))
        plain.set_weights(model.get_weights())
        plain.compile("sgd", logits_loss())
        assert with_it == pytest.approx(plain.evaluate(x, y) + 0.1 * (kernel**2).sum(), rel=1e-5)

    def test_a_constraint_holds_after_each_step(self) -> None:
        x, y = np.ones((4, 2, 3), "float32"), np.zeros((4, 2), int)
        model = es.Sequential([Dense(CLASSES, kernel_constraint="non_neg")])
        model.compile(es.optimizers.SGD(10.0), logits_loss())
        model.fit(x, y, epochs=2)
        assert (model.get_weights()[0] >= 0).all()


ERRORS: dict[str, tuple[Any, type[Exception], list[str]]] = {
    "before compile": (lambda: tagger().fit([[1]], [[1]]), es.errors.StateError, ["compile"]),
    "optimizer": (lambda: tagger().compile("adm"), es.errors.SettingError, ["adm", "adam"]),
    "loss": (lambda: tagger().compile("sgd", "msee"), es.errors.SettingError, ["msee", "mse"]),
    "metric": (
        lambda: tagger().compile("sgd", "mse", metrics=["acuracy"]),
        es.errors.SettingError,
        ["acuracy", "accuracy"],
    ),
    "empty list": (lambda: compiled(tagger()).fit([], []), es.errors.DataError, ["empty"]),
    "lengths": (
        lambda: compiled(tagger()).fit([[1, 2], [3]], [[1, 2], [1, 2]]),
        es.errors.DataError,
        ["sequence 1", "2 steps", "1"],
    ),
    "number of sequences": (
        lambda: compiled(tagger()).fit([[1, 2], [3]], [[1, 2]]),
        es.errors.DataError,
        ["2", "1"],
    ),
    "rows": (
        lambda: compiled(tagger()).fit(np.ones((3, 2), int), np.ones((2, 2), int)),
        es.errors.DataError,
        ["inputs [3]", "targets [2]"],
    ),
    "id": (
        lambda: compiled(tagger()).fit([[1, 2], [99]], [[1, 2], [1]]),
        es.errors.DataError,
        ["sequence 1", "99", "embedding", "0 to 10"],
    ),
    "label": (
        lambda: compiled(tagger()).fit([[1, 2], [4]], [[1, 2], [7]]),
        es.errors.DataError,
        ["7", "3"],
    ),
    "strings": (
        lambda: compiled(tagger()).fit([["a", "b"], ["c"]], [[1, 2], [1]]),
        es.errors.DataError,
        ["sequence 0"],
    ),
    "one label a sequence": (
        lambda: compiled(tagger()).fit([[1, 2], [4]], np.array([0, 1])),
        es.errors.DataError,
        ["each step"],
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_wrong_use_is_one_clear_error(case: str) -> None:
    act, error, words = ERRORS[case]
    with pytest.raises(error) as caught:
        act()
    for word in words:
        assert word in str(caught.value)


def test_metrics_are_there_after_a_prediction_too() -> None:
    ids, labels = sentences()
    model = compiled(tagger(), metrics=["accuracy"])
    model.predict(ids)
    assert set(model.evaluate(ids, labels, return_dict=True)) == {"loss", "accuracy"}
    assert set(model.fit(ids, labels).history) == {"loss", "accuracy"}


class TestCompleteBatches:
    """The last batch is completed by rows that count for nothing, so that one program runs."""

    def test_measures_and_predictions_do_not_depend_on_the_batch_size(self) -> None:
        draw = np.random.default_rng(2)
        x, y = draw.integers(1, VOCABULARY, (7, 5)), draw.integers(0, CLASSES, (7, 5))
        weights = draw.uniform(0, 2, (7, 5)).astype("float32")
        model = compiled(tagger(), metrics=["accuracy"], weighted_metrics=["accuracy"])
        whole = model.evaluate(x, y, batch_size=7, sample_weight=weights)
        for size in (1, 3, 4):
            assert_close(
                np.array(model.evaluate(x, y, batch_size=size, sample_weight=weights)),
                np.array(whole),
            )
            assert_close(model.predict(x, batch_size=size), model.predict(x))

    def test_one_program_for_all_batches(self) -> None:
        counter = CountTraces()
        model = es.Sequential([counter, Dense(CLASSES)])
        model.predict(np.ones((10, 2, 3), "float32"), batch_size=4)
        assert {shape for shape in counter.traces if isinstance(shape[0], int)} == {(4, 2, 3)}


class TestCallbacks:
    def test_the_order_of_the_calls(self) -> None:
        calls: list[str] = []

        class Note(es.callbacks.Callback):
            def __getattribute__(self, name: str) -> Any:
                if name.startswith("on_"):
                    return lambda *args, **kwargs: calls.append(name)
                return super().__getattribute__(name)

        ids, labels = sentences((3, 2))
        model = compiled(tagger())
        model.fit(ids, labels, validation_data=(ids, labels), callbacks=[Note()])
        assert calls == [
            "on_train_begin",
            "on_epoch_begin",
            "on_train_batch_begin",
            "on_train_batch_end",
            "on_test_begin",
            "on_test_batch_begin",
            "on_test_batch_end",
            "on_test_end",
            "on_epoch_end",
            "on_train_end",
        ]

    def test_early_stopping_restores_the_best_weights(self) -> None:
        ids, labels = sentences()
        model = compiled(tagger())
        stop = es.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
        wrong = [(label + 1) % CLASSES for label in labels]
        history = model.fit(
            ids, labels, epochs=50, validation_data=(ids, wrong), callbacks=[stop]
        ).history
        assert len(history["loss"]) < 50
        assert model.evaluate(ids, wrong) == pytest.approx(min(history["val_loss"]), rel=1e-5)

    def test_the_best_model_is_kept_on_disk(self, tmp_path: Any) -> None:
        ids, labels = sentences()
        model = compiled(tagger())
        keep = es.callbacks.ModelCheckpoint(
            tmp_path / "best.everystep", monitor="loss", save_best_only=True
        )
        history = model.fit(ids, labels, epochs=4, callbacks=[keep]).history
        assert history["loss"] == sorted(history["loss"], reverse=True)
        again = es.load_model(tmp_path / "best.everystep")
        for found, wanted in zip(again.predict(ids), model.predict(ids), strict=True):
            assert_close(found, wanted)
