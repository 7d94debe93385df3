"""CRF as a layer: constraints, their making from names, and what it refuses."""

import re
from itertools import pairwise, product
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import everystep as es
from everystep.errors import SettingError, ShapeError
from everystep.layers import CRF, forbidden_transitions
from everystep.sequences import Steps

NAMES = {
    "BIO": ["B-y", "O", "I-x", "B-x", "I-y"],
    "BIOES": ["S-x", "B-x", "O", "E-x", "I-x", "E-y", "B-y"],
}
WHOLE = {
    "BIO": r"(O |B-x (I-x )*|B-y (I-y )*)*",
    "BIOES": r"(O |S-x |B-x (I-x )*E-x |B-y E-y )*",
}


def is_allowed(forbidden: Any, path: tuple[int, ...]) -> bool:
    stops = (-1, *path, -1)
    return not any(forbidden[pair] for pair in pairwise(stops))


@pytest.mark.parametrize("scheme", NAMES)
def test_exactly_the_sequences_of_whole_spans_are_allowed(scheme: str) -> None:
    names = NAMES[scheme]
    forbidden = forbidden_transitions(names, scheme)
    found, wanted = set(), set()
    for path in (path for size in (1, 2, 3, 4) for path in product(range(len(names)), repeat=size)):
        written = "".join(f"{names[label]} " for label in path)
        if is_allowed(forbidden, path):
            found.add(written)
        if re.fullmatch(WHOLE[scheme], written):
            wanted.add(written)
    assert found == wanted
    assert len(found) > 50


@pytest.mark.parametrize(
    ("labels", "scheme", "words"),
    [
        (["O", "B-x"], "IOB", "one of BIO, BIOES, not 'IOB'"),
        (["O", "S-x"], "BIO", "label 'S-x' is none of BIO.*O, B-..., I-..."),
        (["O", "NOUN"], "BIOES", "label 'NOUN'"),
    ],
)
def test_what_is_no_scheme_or_not_of_it_is_refused(labels: Any, scheme: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        forbidden_transitions(labels, scheme)


def test_constraints_hold_whatever_the_scores() -> None:
    forbidden = forbidden_transitions(NAMES["BIOES"], "BIOES")
    crf = CRF(len(NAMES["BIOES"]), forbidden)
    lengths = (1, 5, 3, 4)
    random = np.random.default_rng(2)
    sequences = [1e3 * random.normal(size=(n, crf.labels)).astype("float32") for n in lengths]
    packed = crf(es.pack(sequences, length=8))
    for sequence, length in zip(packed.unpack(), lengths, strict=True):
        assert is_allowed(forbidden, tuple(sequence.argmax(-1)))
        assert sequence.sum(axis=-1).tolist() == [1] * length
    marginals = crf.chain(es.pack(sequences, length=8)).marginals()
    first = np.array([names[0] in "IE" for names in NAMES["BIOES"]])
    assert not np.asarray(marginals)[0, 0, first].any()


def test_what_is_forbidden_is_not_learned() -> None:
    forbidden = np.zeros((3, 3), bool)
    forbidden[0, 1] = forbidden[1, 2] = True
    model = es.Sequential([CRF(2, forbidden, input_shape=(None, 2))])
    model.compile(es.optimizers.SGD(1.0), "crf_loss")
    crf = model.layers[0]
    before = [np.array(weight) for weight in crf.get_weights()]
    model.train_on_batch(np.zeros((1, 4, 2), "float32"), np.array([[1, 1, 0, 0]]))
    moved = [old != new for old, new in zip(before, crf.get_weights(), strict=True)]
    assert moved[0].tolist() == [[True, False], [True, True]]
    assert not moved[2][1]


def test_narrow_inputs_are_computed_in_float32() -> None:
    crf = CRF(3, gives="marginals", dtype="bfloat16")
    inputs = jnp.asarray(np.random.default_rng(0).normal(size=(2, 40, 3)), "bfloat16")
    chain = crf.chain(inputs)
    assert chain.emissions.dtype == "float32"
    assert crf(inputs).dtype == "bfloat16"
    np.testing.assert_array_equal(crf(inputs), chain.marginals().astype("bfloat16"))


def test_labels_read_all_steps_of_their_own_sequence() -> None:
    explanation = es.explain(CRF(3), (None, 4, 3))
    assert explanation.depends.all()
    assert not explanation.unknown


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CRF(4, np.zeros((4, 4), bool)), r"\(5, 5\) for 4 labels.*not \(4, 4\)"),
        (lambda: CRF(2, np.ones((3, 3), bool)), "no sequence of labels from the start to the end"),
        (lambda: CRF(2, gives="scores"), "gives must be one of 'labels', 'marginals'"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Any, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        make()


def test_scores_of_another_number_of_labels_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"'tags'.*expected axis -1.*value 3"):
        CRF(3, name="tags")(np.zeros((2, 4, 5), "float32"))
    with pytest.raises(ShapeError, match="ndim=3, found ndim=2"):
        CRF(3)(np.zeros((4, 3), "float32"))


def test_a_way_to_the_end_may_go_through_many_labels() -> None:
    forbidden = np.ones((6, 6), bool)
    forbidden[[5, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5]] = False
    steps = Steps.of(np.zeros((1, 6, 5), "float32"), [[0, 2, 2, 2, 2, 2]])
    assert CRF(5, forbidden)(steps).unpack()[1].argmax(-1).tolist() == [0, 1, 2, 3, 4]
    forbidden[3, 4] = True
    with pytest.raises(SettingError, match="no sequence"):
        CRF(5, forbidden)
