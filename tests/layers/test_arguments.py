"""What a layer's `call` is handed: inputs of any form, their masks, and the mode."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from everystep.core.scope import current_scope
from everystep.errors import DataError, PackedRowsError, SegmentsError
from everystep.layers import Input, Layer
from everystep.layers.symbols import KerasTensor
from everystep.sequences import Steps

X = np.ones((2, 4, 3), "float32")
MASK = np.array([[True, True, False, True], [False, False, True, True]])
PACKED = Steps.of(X, np.array([[1, 1, 2, 0], [3, 3, 3, 3]]))


class Both(Layer):
    """Adds two inputs, and notes the masks that it got."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        self.seen = mask
        return inputs[0] + inputs[1]


class Reader(Layer):
    """Reads a memory, as attention does."""

    def build(self, query_shape: Any, memory_shape: Any = None) -> None:
        self.shapes = (query_shape, memory_shape)
        self.scale = self.add_weight((query_shape[-1], memory_shape[-1]), name="scale")

    def call(
        self,
        query: Any,
        memory: Any = None,
        query_mask: Any = None,
        memory_mask: Any = None,
        training: bool = False,
    ) -> Any:
        self.seen = (query_mask, memory_mask, training)
        return query @ self.scale.value + memory.mean(1, keepdims=True)


class Ending(Layer):
    """A layer in Keras's manner that says its own mask."""

    def call(self, inputs: Any) -> Any:
        return inputs[:, 1:]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if mask is None else mask[:, 1:]


def test_a_list_of_inputs_comes_with_a_list_of_masks() -> None:
    layer = Both()
    outputs = layer([Steps.of(X, MASK.astype(int), packed=False), X])
    assert isinstance(outputs, Steps)
    np.testing.assert_array_equal(outputs.mask, MASK)
    np.testing.assert_array_equal(layer.seen[0], MASK)
    assert layer.seen[1] is None
    layer([X, X])
    assert layer.seen is None


def test_masks_are_given_for_each_input_or_one_for_all() -> None:
    layer = Both()
    layer([X, X], mask=[None, MASK])
    assert layer.seen[0] is None
    np.testing.assert_array_equal(layer.seen[1], MASK)
    with pytest.raises(SegmentsError, match="different segments"):
        layer([X, X], mask=MASK)


def test_a_mask_on_steps_hides_more_of_them_and_keeps_sequences_apart() -> None:
    class Passing(Layer):
        stepwise = True

        def call(self, inputs: Any) -> Any:
            return inputs

    outputs = Passing()(PACKED, mask=MASK)
    assert outputs.packed
    assert outputs.segments.tolist() == [[1, 1, 0, 0], [0, 0, 3, 3]]


def test_further_arguments_come_by_place_or_name_with_masks_of_their_own() -> None:
    layer = Reader()
    memory = Steps.of(np.ones((2, 4, 5), "float32"), MASK.astype(int), packed=False)
    first = layer(X, memory, training=True)
    assert layer.shapes == ((2, 4, 3), (2, 4, 5))
    query_mask, memory_mask, training = layer.seen
    assert (query_mask, training) == (None, True)
    np.testing.assert_array_equal(memory_mask, MASK)
    np.testing.assert_array_equal(layer(memory=memory, query=X), first)
    layer(X, memory, memory_mask=~MASK)
    np.testing.assert_array_equal(layer.seen[1], ~MASK)


def test_further_arguments_refuse_what_they_would_lose() -> None:
    with pytest.raises(PackedRowsError, match="one sequence a row in 'memory'"):
        Reader()(X, PACKED)

    class Adding(Layer):
        def call(self, inputs: Any, other: Any) -> Any:
            return inputs + other

    with pytest.raises(SegmentsError, match="mask that its argument 'other' carries"):
        Adding()(X, PACKED)
    assert Adding()(X, jnp.asarray(X)).shape == X.shape


def test_symbols_may_come_in_any_argument() -> None:
    outputs = Reader()(Input((None, 3)), memory=Input((7, 5)))
    assert isinstance(outputs, KerasTensor)
    assert outputs.shape == (None, None, 5)


def test_shapes_of_further_arguments_give_the_output_shape() -> None:
    found = Reader().compute_output_shape((None, 4, 3), (None, 7, 5))
    assert found == Reader().compute_output_shape((None, 4, 3), memory_shape=(None, 7, 5))
    assert found == (None, 4, 5)


def test_a_mask_that_a_layer_says_itself_is_honoured() -> None:
    outputs = Ending()(X, mask=MASK)
    np.testing.assert_array_equal(outputs.mask, MASK[:, 1:])
    assert not isinstance(Ending()(X), Steps)
    with pytest.raises(PackedRowsError):
        Ending()(PACKED)


def test_a_call_without_its_input_says_which() -> None:
    with pytest.raises(DataError, match="without its input 'query'"):
        Reader()(memory=X)


def test_real_rows_hold_for_all_that_runs_inside() -> None:
    class Inner(Layer):
        def call(self, inputs: Any) -> Any:
            scope = current_scope()
            assert scope is not None
            self.seen = scope.real_rows
            return inputs

    class Outer(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()

        def call(self, inputs: Any) -> Any:
            scope = current_scope()
            assert scope is not None
            with scope.with_rows(np.array([True, False])):
                outputs = self.inner(inputs)
            assert scope.real_rows is None
            return outputs

    layer = Outer()
    layer(X)
    assert layer.inner.seen.tolist() == [True, False]


class Choosing(Layer):
    """A layer whose output has steps or not, as its call says."""

    def call(
        self, inputs: Any, memory: Any = None, summed: bool = False, memory_packed: Any = None
    ) -> Any:
        self.seen = memory_packed
        return inputs.sum(1) if summed else inputs

    declared_masking = "packed"

    def compute_segments(
        self, inputs: Any, segments: Any, summed: bool = False, packed: bool = False
    ) -> Any:
        self.packed = packed
        return None if summed else segments


def test_the_segments_of_an_output_may_depend_on_arguments_of_the_call() -> None:
    layer = Choosing()
    assert layer(PACKED).segments is PACKED.segments
    assert layer.packed
    assert not isinstance(layer(PACKED, summed=True), Steps)
    np.testing.assert_array_equal(layer.compute_mask(X, MASK), MASK)
    assert not layer.packed


def test_packed_rows_and_rows_of_one_sequence_do_not_go_together() -> None:
    class Summing(Layer):
        stepwise = True

        def call(self, inputs: Any) -> Any:
            return inputs[0] + inputs[1]

    with pytest.raises(PackedRowsError, match=r"\(Summing\).*beside rows of one sequence"):
        Summing()([PACKED, Steps.of(X, MASK.astype(int), packed=False)])


def test_a_mask_of_false_takes_off_the_one_that_the_input_carries() -> None:
    steps = Steps.of(X, MASK.astype(int), packed=False)
    assert not isinstance(Ending()(steps, mask=False), Steps)
    with pytest.raises(PackedRowsError, match="was asked to go without a mask"):
        Ending()(PACKED, mask=False)
