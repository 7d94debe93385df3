"""Training with a CRF: the same loss padded, packed or alone; save and load; what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import everystep as es
from everystep import layers
from everystep.errors import DataError, StateError
from everystep.kernels.chain import FORBIDDEN
from tests.kernels.paths import Case, wanted_surprises
from tests.tolerances import assert_close

WITHIN = {"float32": 1e-5}
LABELS, LENGTHS = 3, (4, 1, 6, 2)
NEVER = np.zeros((LABELS + 1, LABELS + 1), bool)
NEVER[2, 1] = True


def scored(**options: Any) -> Any:
    """A model whose inputs are the scores themselves."""
    model = es.Sequential([layers.CRF(LABELS, input_shape=(None, LABELS), **options)])
    model.compile("sgd", "crf_loss", metrics=["accuracy"])
    random = np.random.default_rng(4)
    model.set_weights([random.normal(size=each.shape) for each in model.get_weights()])
    return model


def data() -> tuple[list[Any], list[Any], list[Any]]:
    random = np.random.default_rng(1)
    x = [random.normal(size=(length, LABELS)).astype("float32") for length in LENGTHS]
    y = [random.integers(0, LABELS, length) for length in LENGTHS]
    weights = [random.integers(0, 2, length).astype("float32") for length in LENGTHS]
    return x, y, weights


def wanted(model: Any, x: Any, y: Any, known: Any = None) -> Any:
    """What the labels of each step cost, over all paths of each sequence alone."""
    transitions, start, end = model.get_weights()
    moves = np.concatenate([transitions, start[None]])
    if model.layers[0].forbidden is not None:
        moves = np.where(NEVER[:, :-1], FORBIDDEN, moves)
    costs = []
    for number, (scores, labels) in enumerate(zip(x, y, strict=True)):
        some = np.ones((1, len(labels))) if known is None else known[number][None]
        case = Case(scores[None], moves, end, None, False, labels[None], some)
        costs.append(wanted_surprises(case, some)[0])
    return costs


def test_the_loss_is_that_of_each_sequence_alone_packed_or_padded() -> None:
    model = scored()
    x, y, weights = data()
    loss, accuracy = model.evaluate(x, y)
    mean = np.concatenate(wanted(model, x, y)).mean()
    assert_close(loss, mean, WITHIN)
    labels = [found.argmax(-1) for found in model.predict(x)]
    assert accuracy == pytest.approx(np.mean(np.concatenate(labels) == np.concatenate(y)))
    weighted = model.evaluate(x, y, sample_weight=weights)[0]
    known = np.concatenate(wanted(model, x, y, weights)).sum() / sum(LENGTHS)
    assert_close(weighted, known, WITHIN)
    rows = [np.array([part[:4] for part in parts if len(part) >= 4] * 3) for parts in (x, y)]
    alone = np.concatenate(wanted(model, *rows)).mean()
    assert_close(model.evaluate(*rows, batch_size=4)[0], alone, WITHIN)
    padded = np.zeros((len(x), 7, LABELS), "float32")
    targets, mask = np.full((len(x), 7), 99), np.zeros((len(x), 7), bool)
    for row, (scores, own) in enumerate(zip(x, y, strict=True)):
        place = slice(row, row + len(own)) if row + len(own) <= 7 else slice(0, len(own))
        padded[row, place], targets[row, place], mask[row, place] = scores, own, True
    chain = model.layers[0].chain(padded, mask=mask)
    assert_close(float(es.losses.CRFLoss()(targets, chain)), mean, WITHIN)


def test_labels_that_are_not_known_may_be_any_number() -> None:
    model = scored()
    x, y, weights = data()
    other = [np.where(weight == 0, -100, labels) for labels, weight in zip(y, weights, strict=True)]
    chain = model.layers[0].chain(x[0][None])
    loss = es.losses.CRFLoss()
    found = loss(other[0][None], chain, sample_weight=weights[0][None])
    assert_close(found, loss(y[0][None], chain, sample_weight=weights[0][None]))


def follows() -> tuple[list[Any], list[Any]]:
    """Labels of which the first alone can be seen; each is followed by the one after it."""
    random = np.random.default_rng(0)
    y = [(random.integers(LABELS) + np.arange(n)) % LABELS for n in random.integers(1, 9, 64)]
    x = [np.eye(LABELS, dtype="float32")[labels] for labels in y]
    for sequence in x:
        sequence[1:] = 0
    return x, y


def test_what_follows_what_is_learned_saved_and_loaded(tmp_path: Path) -> None:
    model = es.Sequential(
        [layers.Dense(LABELS, input_shape=(None, LABELS)), layers.CRF(LABELS, NEVER)]
    )
    model.compile(es.optimizers.Adam(0.1), "crf_loss", metrics=["accuracy"])
    x, y = follows()
    history = model.fit(x, y, batch_size=16, epochs=25, validation_data=(x[:9], y[:9]))
    assert history.history["loss"][-1] < 0.05 < history.history["loss"][0]
    assert history.history["val_accuracy"][-1] == 1.0
    for found, labels in zip(model.predict(x), y, strict=True):
        np.testing.assert_array_equal(found.argmax(-1), labels)
    path = tmp_path / "model.everystep"
    model.save(path)
    loaded = es.load_model(path)
    np.testing.assert_array_equal(loaded.layers[-1].forbidden, NEVER)
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    for found, again in zip(model.predict(x), loaded.predict(x), strict=True):
        np.testing.assert_array_equal(found, again)
    assert loaded.evaluate(x, y) == model.evaluate(x, y)


def two_taggers() -> Any:
    scores = layers.Input((None, LABELS))
    words = layers.CRF(LABELS, name="words")(scores)
    model = es.Model(scores, [words, layers.CRF(LABELS, name="names")(scores)])
    model.set_weights([np.full(each.shape, 0.3) for each in model.get_weights()])
    return model


def test_each_of_several_layers_has_a_loss_by_its_name() -> None:
    model, (x, y, _) = two_taggers(), data()
    model.compile("sgd", [es.losses.CRFLoss("words"), es.losses.CRFLoss("names")])
    other = [labels[::-1] for labels in y]
    alone = [scored().evaluate(x, labels)[0] for labels in (y, other)]
    assert alone[0] != alone[1]
    logs = model.evaluate(x, [y, other], return_dict=True)
    one = scored()
    one.set_weights(model.get_weights()[:3])
    wanted = [one.evaluate(x, labels)[0] for labels in (y, other)]
    assert [logs["words_loss"], logs["names_loss"]] == pytest.approx(wanted)


def fit(model: Any, loss: Any, labels: Any) -> None:
    model.compile("sgd", loss)
    model.fit(np.zeros((1, 4, LABELS), "float32"), labels)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (
            lambda: fit(es.Sequential([layers.Dense(LABELS)]), "crf_loss", np.zeros((1, 4), int)),
            StateError,
            "loss 'crf_loss' is that of one layer CRF, but in this run there were none",
        ),
        (
            lambda: fit(two_taggers(), "crf_loss", [np.zeros((1, 4), int)] * 2),
            StateError,
            r"\['names', 'words'\].*by the setting `layer`",
        ),
        (
            lambda: fit(two_taggers(), es.losses.CRFLoss("tags"), [np.zeros((1, 4), int)] * 2),
            StateError,
            "one layer CRF named 'tags'.*none",
        ),
        (
            lambda: fit(scored(), "crf_loss", np.full((1, 4), LABELS)),
            DataError,
            "from 0 to 2.*go from 3 to 3",
        ),
        (
            lambda: es.losses.CRFLoss()(np.zeros((1, 4), int), np.zeros((1, 4, LABELS))),
            DataError,
            "the chain of a layer CRF, not with ndarray: take it from `layer.chain",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_cure(run: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        run()
