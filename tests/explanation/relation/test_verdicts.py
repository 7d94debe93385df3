import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import DataError, ShapeError
from everystep.explanation.program import Port, Program
from everystep.explanation.relation import Family, excluding, related, relation
from everystep.explanation.relation.excluding import CounterExample
from everystep.explanation.relation.mapping import WeightMapping
from everystep.layers import Dense, PerStep, ReLU
from everystep.models import Sequential
from tests.explanation.relation.pairs import PAIRS
from tests.explanation.relation.pairs import related as related_pair

SHAPE = (None, 4, 3)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_settled_is_right_and_says_how(name: str) -> None:
    pair = PAIRS[name]
    _, _, r = related_pair(name)
    assert r.verdict == pair.verdict, r.reason
    sides = [r.evidence.forward, r.evidence.backward]
    kinds = [side.kind for side in sides if isinstance(side, CounterExample)]
    assert not pair.kind or pair.kind in kinds, kinds
    mapped = [isinstance(side, WeightMapping) for side in sides]
    assert mapped == [r.verdict in ("same", "narrower"), r.verdict in ("same", "wider")]


def test_what_is_too_large_for_a_proof_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = PAIRS["tanh of two widths"]
    for limit in ("MOST_WEIGHTS", "MOST_SLOPES"):
        monkeypatch.setattr(excluding, limit, 10)
    r = relation(pair.a(), pair.b(), pair.shape)
    assert r.verdict == "unknown"
    assert isinstance(r.evidence.backward, WeightMapping)
    assert "could not be shown" in r.reason


def test_a_bottleneck_is_seen_where_dimensions_say_nothing() -> None:
    wide = Sequential([Dense(2, activation="tanh"), Dense(3)])
    narrow = Sequential([Dense(1), Dense(20, activation="tanh"), Dense(3)])
    r = relation(wide, narrow, SHAPE)
    assert isinstance(r.evidence.forward, CounterExample)
    assert r.evidence.forward.kind == "bottleneck"


def test_a_branch_that_random_weights_never_take_proves_nothing() -> None:
    """The second is zero at all samples, so that its rank there says nothing of other weights."""
    linear = Sequential([Dense(2), Dense(3)])
    dead = Sequential([Dense(2), ReLU(threshold=1e4), Dense(3)])
    r = relation(linear, dead, SHAPE)
    assert r.evidence.forward is None


def test_words_numbers_and_plain_data() -> None:
    shared, own = Dense(5, name="shared"), PerStep(Dense(5), name="own")
    r = relation(shared, own, SHAPE)
    assert repr(r) == "<Relation shared to own: narrower>"
    assert "least squares over 24 inputs" in r.reason
    assert r.to_text().splitlines()[:6] == [
        "shared to own: narrower",
        "every function of shared is one of own, but not the reverse",
        "",
        "shared is own (verified on 8 draws)",
        "  kernel is 4 copies of shared's kernel, one behind the other",
        "  bias is 4 copies of shared's bias, one behind the other",
    ]
    data = json.loads(json.dumps(r.data()))
    assert data["verdict"] == "narrower"
    assert data["evidence"]["forward"]["draws"] == 8
    assert data["evidence"]["backward"]["residual"] > 0.1


def test_a_counter_example_holds_what_the_other_cannot_give() -> None:
    """Independent of the search: the best shared layer is found by the normal equations."""
    r = relation(Dense(5, name="shared"), PerStep(Dense(5), name="own"), SHAPE)
    found = r.evidence.backward
    assert isinstance(found, CounterExample)
    assert found.residual is not None
    [inputs] = found.inputs
    x = inputs[:, 0]
    kernel, bias = (found.weights[f"own/{name}"] for name in _names(found))
    wanted = np.einsum("nti,tio->nto", x, kernel) + bias
    left = np.concatenate([x.reshape(-1, 3), np.ones((len(x) * 4, 1))], axis=1)
    right = wanted.reshape(-1, 5)
    best = np.linalg.solve(left.T @ left, left.T @ right)
    rest = np.linalg.norm(left @ best - right) / np.linalg.norm(right)
    assert rest == pytest.approx(found.residual)


def _names(found: CounterExample) -> list[str]:
    paths = sorted(found.weights, key=lambda path: path.endswith("bias"))
    return [path.removeprefix("own/") for path in paths]


def test_evidence_without_a_mapping_says_so() -> None:
    r = relation(Dense(2), Dense(3), SHAPE)
    assert r.verdict == "different"
    assert "(4, 2)" in r.reason
    with pytest.raises(DataError, match=r"evidence\.forward"):
        r.evidence({})


def test_other_inputs_are_an_error() -> None:
    ids, numbers = (related_input(values) for values in (7, None))
    with pytest.raises(ShapeError, match="arrays as examples"):
        related(Family(ids), Family(numbers))


def related_input(values: int | None) -> Program:
    dtype = jnp.dtype("float32" if values is None else "int32")
    jaxpr = jax.make_jaxpr(lambda x: [x + 1])(jnp.zeros((1, 4), dtype))
    port = Port("x", (1, 4), dtype, axis=1, values=values)
    return Program("one more", jaxpr, (), (port,), (port,))


def test_outputs_of_other_ranks_are_other_functions() -> None:
    r = relation(lambda x: x.sum(), lambda x: x.sum((0, 2)), (1, 4, 3), output_axis=None)
    assert r.verdict == "different"
    assert "()" in r.reason
