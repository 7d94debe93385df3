"""What a layer or operation does in a stream, where the steps come chunk after chunk."""

from __future__ import annotations

from typing import Any

from everystep.core.scope import current_scope
from everystep.kernels.stepper import Operation


class Streamed:
    """The part of a layer that goes on with the steps of a sequence where it stopped.

    A layer that reads each step alone needs nothing. One that reads earlier steps says by
    `why_not_stream` that it goes on, by `first_memory` what it has kept before the first step, and
    by `call_on` how it goes on; then chunk after chunk must give what the whole gives.
    """

    stepwise: bool = False

    call: Any

    def why_not_stream(self, *args: Any, **kwargs: Any) -> str:
        """Say why chunk after chunk would not give what the whole gives, "" where it does.

        Args:
            *args: the shapes and dtypes of what it is called on.
            **kwargs: the same by name.
        """
        if self.stepwise:
            return ""
        return (
            "may read other steps than the one that its output is for, and does not say what it "
            "keeps of them. Layers that read each step alone, recurrent layers that read forward, "
            "and Conv1D with padding='causal' can take its place; a layer of your own says "
            "stepwise = True, or has why_not_stream, first_memory and call_on"
        )

    def first_memory(self, inputs: Any) -> Any:
        """Return what the layer has kept before the first step, None if it keeps nothing.

        Args:
            inputs: the shape and dtype of its input, with the number of rows and of features.

        Returns:
            A tree of arrays, each with the rows as its first axis.
        """
        return None

    def call_on(self, memory: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Compute the outputs of the next steps, as `call` would had it the steps before too.

        Args:
            memory: what the layer has kept of the steps before.
            *args: what `call` takes.
            **kwargs: the same by name.

        Returns:
            The outputs of these steps, and what the layer keeps now.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has first_memory, but no call_on that goes on with it"
        )

    def step_operations(self) -> list[Operation] | None:
        """Return one step of the layer, weights as they are now, as operations of the stepper.

        None where it is something else; then the stream runs a compiled program.
        """
        return None

    def _called_or_gone_on(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer, or let it go on where the run does so with this layer."""
        scope = current_scope()
        kept = None if scope is None else scope.kept
        if kept is None or kept.layer is not self:
            return self.call(*args, **kwargs)
        outputs, kept.memory = self.call_on(kept.memory, *args, **kwargs)
        return outputs
