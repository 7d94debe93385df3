"""A scope: what one run of a model reads and leaves behind, so that running it is a pure function.

Inside a scope a weight's value is the one that the scope gives it, a new value that a layer assigns
is kept in the scope, and noise comes from the scope's source. So the same layer code runs eagerly,
under `jax.jit`, under `jax.grad` and for shape inference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from everystep.core.randomness import Noise, global_seed, next_call
from everystep.core.tables import Tables
from everystep.errors import StateError

if TYPE_CHECKING:
    from everystep.core.variables import Variable

_active: ContextVar[Scope | None] = ContextVar("scope", default=None)


class Call(NamedTuple):
    """One call of a layer in a run.

    Args:
        layer: the layer.
        inputs: what it was called on.
        outputs: what it gave.
        before: how many calls had ended before this one began; what ended since stands inside it.
    """

    layer: Any
    inputs: Any
    outputs: Any
    before: int


@dataclass
class Kept:
    """What one layer keeps of the steps before, in a run that goes on with them.

    Args:
        layer: the layer, and none of those inside it.
        memory: what it kept, and once it has been called what it keeps now: a tree of arrays.
    """

    layer: Any
    memory: Any


@dataclass
class Scope:
    """The inputs of one run (weight values, noise, mode) and what it leaves (updates, losses).

    Args:
        values: the value of each weight, by the weight's `id`; others have their own value.
        training: whether layers behave as in training; None where nobody has said, which is no.
        noise: the source of noise; None means that the run must not need any.
        parent: the scope to look in for what this one does not hold.
        real_rows: which rows of the batch axis are real, bool (batch,); None where all are. Rows
            that only fill up a batch, and padded steps that are folded into it, are not.
        token: tells this run from any other, for those who must not keep what is in it alive.
        any_steps: whether a model takes other numbers of steps than its Input says, where its
            layers do.
        padding_given: whether the segments of the inputs say all that is padding, so that layers do
            not look for more among the values.
        kept: what the layer that is called next keeps of the steps before, where a run goes on with
            them.
        left: what layers leave for losses that ask for more than outputs, each with the layer's
            name.
        tables: the tables of which this run notes the rows that it reads, or None.
    """

    values: dict[int, Any] = field(default_factory=dict)
    training: bool | None = None
    noise: Noise | EagerNoise | None = None
    parent: Scope | None = None
    updates: dict[int, tuple[Variable, Any]] = field(default_factory=dict)
    losses: list[Any] = field(default_factory=list)
    left: list[tuple[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    draws: Counter[str] = field(default_factory=Counter)
    compute_dtype: str | None = None
    recording: bool = False
    real_rows: Any = None
    token: Any = field(default_factory=object)
    any_steps: bool = False
    padding_given: bool = False
    kept: Kept | None = None
    tables: Tables | None = None

    def record(self, layer: Any, inputs: Any, outputs: Any, before: int) -> None:
        """Note that a layer turned these inputs into these outputs, where calls are recorded."""
        if self.recording:
            self.calls.append(Call(layer, inputs, outputs, before))

    def value_of(self, variable: Variable) -> Any:
        """Return the value that a weight has in this run, or None if the scope has none for it."""
        key = id(variable)
        if self.tables is not None:
            self.tables.note_read(key)
        if key in self.updates:
            return self.updates[key][1]
        if key in self.values:
            return self.values[key]
        return self.parent.value_of(variable) if self.parent is not None else None

    def rows_of(self, variable: Variable, ids: Any) -> Any | None:
        """Return rows of a table where this run notes them; None to read it as a whole."""
        key = id(variable)
        if self.tables is None or key in self.updates or key not in self.values:
            return None
        return self.tables.rows(key, self.values[key], ids)

    def draw(self, path: str, seed: int | None = None) -> jax.Array:
        """Return a key for the layer at `path`, a new one each time it asks."""
        if self.noise is None:
            raise StateError(
                f"layer '{path}' needs random numbers: give `apply` a key, key=jax.random.key(0)"
            )
        self.draws[path] += 1
        return self.noise.draw(path, self.draws[path], seed)

    def commit(self) -> None:
        """Make the updates of an eager run the weights' own values."""
        for variable, value in self.updates.values():
            refuse_traced(variable, value)
            variable.set_own(value)

    @contextmanager
    def with_rows(self, real: Any) -> Iterator[None]:
        """Let these be the real rows of the batch axis while the `with` block lasts."""
        before, self.real_rows = self.real_rows, real
        try:
            yield
        finally:
            self.real_rows = before

    @contextmanager
    def active(self) -> Iterator[Scope]:
        """Make this the scope that weights and layers look in."""
        token = _active.set(self)
        try:
            yield self
        finally:
            _active.reset(token)


def refuse_traced(variable: Variable, value: Any) -> None:
    """Raise an error for a value that exists only while JAX traces a function."""
    if isinstance(value, jax.core.Tracer):
        raise StateError(
            f"weight '{variable.path}' changed inside a JAX transformation, where the change would "
            "be lost: call the model through everystep.apply, which returns it"
        )


def current_scope() -> Scope | None:
    """Return the scope of the run that we are in, or None outside of any run."""
    return _active.get()


def padding_is_given() -> bool:
    """Whether segments say all that is padding in this run, whatever the values are."""
    scope = current_scope()
    return scope is not None and scope.padding_given


@contextmanager
def eager_scope() -> Iterator[Scope]:
    """Give the scope that we are in; outside of any, open one and keep its updates at the end."""
    scope = current_scope()
    if scope is not None:
        yield scope
        return
    with Scope(noise=EagerNoise()).active() as scope:
        yield scope
    scope.commit()


@dataclass
class EagerNoise:
    """Noise from the global seed, set up only if a layer asks for it."""

    noise: Noise | None = None

    def draw(self, path: str, count: int, seed: int | None = None) -> jax.Array:
        """Return the key of a draw; each eager call counts as a step of its own."""
        if self.noise is None:
            self.noise = Noise.of_seed(global_seed(), next_call())
        return self.noise.draw(path, count, seed)
