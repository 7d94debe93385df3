import numpy as np
import pytest

from everystep.explanation.relation.layout import Layout, Slot
from everystep.explanation.relation.selection import CONSTANT, Selection
from everystep.explanation.relation.wording import lines_of

OWN = np.arange(6).reshape(2, 3)
NONE = CONSTANT

FORMS = {
    "it": (OWN, "is one's kernel"),
    "reshaped": (OWN.reshape(3, 2), "is one's kernel, reshaped"),
    "transposed": (OWN.T, "is one's kernel, transposed"),
    "blocks": (
        np.kron(np.eye(2, dtype=int), OWN + 1) - 1,
        "is block-diagonal with 2 equal blocks, each one's kernel",
    ),
    "copies": (np.tile(OWN, (3, 1)), "is 3 copies of one's kernel, one behind the other"),
    "corner": (
        np.pad(OWN, ((0, 1), (1, 0)), constant_values=NONE),
        "is one's kernel at [0:2, 1:4], zeros elsewhere",
    ),
    "spread": (
        np.insert(OWN, 1, NONE, axis=1),
        "is one's kernel at [0:2, [0, 2, 3]], zeros elsewhere",
    ),
    "reordered": (OWN[:, [2, 0, 1]], "is one's kernel, axis 1 in the order [2, 0, 1]"),
    "reordered in blocks": (
        OWN.reshape(1, 6)[:, [1, 0, 3, 2, 5, 4]].reshape(2, 3),
        "consists of 6 numbers of one's kernel",
    ),
    "part": (OWN[1:, :2], "is one's kernel[1:2, 0:2]"),
    "nothing": (np.full((2, 2), NONE), "is the identity matrix"),
}


@pytest.mark.parametrize(("places", "words"), FORMS.values(), ids=FORMS.keys())
def test_each_form_of_a_weight_has_words(places: np.ndarray, words: str) -> None:
    source = Layout((Slot("one/kernel", (2, 3), 0, positive=False),))
    target = Layout((Slot("two/kernel", places.shape, 0, positive=False),))
    constants = np.eye(*places.shape) if (places == NONE).all() else np.zeros(places.shape)
    factor = np.where(places == NONE, constants, 1.0).ravel()
    selection = Selection(source, target, places.ravel(), factor)
    [line] = lines_of(selection, selection.free, "one")
    assert line == f"kernel {words}"


def test_orders_that_are_alike_in_all_blocks_are_said_once() -> None:
    source = Layout((Slot("one/bias", (6,), 0, positive=False),))
    selection = Selection(source, source, np.array([1, 0, 3, 2, 5, 4]), np.full(6, -1.0))
    [line] = lines_of(selection, selection.free, "one")
    assert line == "bias is -1 times one's bias, axis 0 in the order [1, 0] in each of 3 blocks"


def test_paths_are_as_short_as_tells_them_apart() -> None:
    paths = ["model/dense/kernel", "model/dense_1/kernel", "model/dense_1/bias"]
    layout = Layout(tuple(Slot(path, (), n, positive=False) for n, path in enumerate(paths)))
    assert [layout.short(s) for s in layout.slots] == ["dense/kernel", "dense_1/kernel", "bias"]
