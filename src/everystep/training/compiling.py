"""compile: what a model is trained with, and how it is measured, at one output or at several."""

from __future__ import annotations

from typing import Any

from everystep import optimizers
from everystep.core.registry import serialize
from everystep.errors import StateError
from everystep.kinds import ANYTHING, POSITIVE, checked, one_of
from everystep.training.heads import Compiled, known_metrics, numbers, resolved
from everystep.training.programs import Programs
from everystep.training.shapes import counted

_JIT = one_of("auto", True, False)


class Compiles:
    """The part of a model that knows optimizer, loss and metrics; `Trainer` uses them."""

    # Whether the model takes one input, whatever it is; else its graph says, or its caller.
    one_input: bool = False

    optimizer: Any = None
    loss: Any = None
    run_eagerly: bool = False
    steps_per_execution: int = 1
    max_shapes: int = 8
    _compiled: Compiled | None = None
    _programs: Programs | None = None
    _stream_program: Any = None

    @checked(steps_per_execution=POSITIVE, jit_compile=_JIT, max_shapes=ANYTHING)
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        max_shapes: int = 8,
    ) -> None:
        """Choose how the model is trained and measured.

        For a model of several outputs, `loss` may be one for all, or like `loss_weights`, `metrics`
        and `weighted_metrics` a list in the order of the outputs or a dict by their names. The
        outputs of a model that returns a dict have its keys as names, those of a functional model
        the names of the layers that give them.

        Args:
            optimizer: a name such as `"adam"`, an optimizer, or an optax transformation.
            loss: a name such as `"sparse_categorical_crossentropy"`, a loss, or a function of
                targets and outputs that gives a value for each step; None for no loss.
            loss_weights: what the loss of each output counts in their sum; 1 by default.
            metrics: names, metrics or functions; every real step counts alike.
            weighted_metrics: the same, where each step counts by its sample weight.
            run_eagerly: whether steps run in Python, uncompiled, so that one can look inside.
            steps_per_execution: how many batches of one shape `fit` and `evaluate` hand to the
                device at once, to be run in a loop there; callbacks are then called once for so
                many batches, with the number of the first before and of the last after them. It
                pays where a step is short, or where what it works in is many megabytes.
            jit_compile: `"auto"` or True compiles the step; False is as `run_eagerly`.
            auto_scale_loss: whether the loss is scaled by a `LossScaleOptimizer` under the policy
                mixed_float16.
            max_shapes: how many lengths sequences in lists are padded to at most, where the model
                takes one sequence a row; each is compiled once. Batches of many more shapes, as
                they may come from a generator, bring a warning.

        Raises:
            SettingError: a name is not known; the message says which is near.

        Example:
            >>> import everystep as es
            >>> model = es.Sequential([es.layers.Dense(2, input_shape=(None, 3))])
            >>> model.compile("adam", "mse", metrics=["mae"])
        """
        self.max_shapes = counted(max_shapes)
        model: Any = self
        self.optimizer = optimizers.get(optimizer)
        scaled = auto_scale_loss and model.dtype_policy.name == "mixed_float16"
        if scaled and isinstance(self.optimizer, optimizers.Optimizer):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self.loss = loss
        self.run_eagerly = bool(run_eagerly) or jit_compile is False
        self.steps_per_execution = steps_per_execution
        self._compiled = Compiled(
            self.optimizer,
            resolved(loss),
            numbers(loss_weights),
            known_metrics(metrics, "metrics"),
            known_metrics(weighted_metrics, "weighted_metrics"),
        )
        self.forget_programs()

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    @property
    def metrics(self) -> list[Any]:
        """The measures of the latest run over data: the mean loss, and all metrics."""
        return [] if self._programs is None else self._programs.measures.all

    @property
    def metrics_names(self) -> list[str]:
        """The names under which the measures of the latest run over data are reported."""
        measures = self.metrics
        if self._programs is None:
            return []
        return list(self._programs.measures.named([None] * len(measures)))

    def reset_metrics(self) -> None:
        """Start all measures from zero."""
        for metric in self.metrics:
            metric.reset_state()

    def forget_programs(self) -> None:
        """Compile anew at the next step, because the model or its training has changed."""
        self._programs = self._stream_program = None

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return what `compile` was given as plain data, or None."""
        if self._compiled is None:
            return None
        given = self._compiled
        config = {
            "optimizer": serialize(given.optimizer),
            "loss": serialize(given.loss),
            "metrics": serialize(given.metrics or []),
            "weighted_metrics": serialize(given.weighted_metrics or []),
        }
        if given.loss_weights is not None:
            config["loss_weights"] = serialize(given.loss_weights)
        return config

    def _needs_compile(self, asked: str) -> None:
        if self._compiled is None:
            raise StateError(
                f"You must call `compile()` before using the model: {asked} needs an optimizer and "
                "a loss. Call model.compile('adam', "
                "'sparse_categorical_crossentropy') first"
            )
