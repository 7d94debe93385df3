"""Trainer: compile, fit, evaluate and predict, as Keras has them, for every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from everystep.callbacks import Callback, CallbackList, History
from everystep.core.randomness import global_seed, seed_key
from everystep.core.warning import warn_user
from everystep.errors import SettingError
from everystep.kinds import (
    MAPPING,
    checked,
    instance_of,
    optional,
)
from everystep.training.arguments import ARGUMENTS
from everystep.training.compiling import Compiles
from everystep.training.feeding import Epoch, MiniBatch, Source, opened
from everystep.training.parts import inputs_of
from everystep.training.preparation import (
    as_triple,
    check_labels,
    floats,
    grouped,
    loop_params,
    measures_for,
    real_steps,
    reported,
    split_off,
)
from everystep.training.programs import Programs
from everystep.training.progress import progress_for
from everystep.training.running import Running
from everystep.training.shapes import Shapes, counted
from everystep.training.sourcing import source_of
from everystep.training.streaming import Portion, StreamSource, gives_batches


class Trainer(Compiles):
    """The methods of a model for training and use; `Model` puts them on a layer."""

    history: History
    stop_training: bool = False
    running: Running | None = None
    _steps_done: int = 0
    _epochs_done: int = 0
    _shapes: Shapes | None = None
    _programs_made: int = 0

    @checked(**ARGUMENTS)
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train the model.

        Lists of arrays of different lengths are packed into rows of one fixed shape; loss and
        metrics count real steps only. For a model of one input a list holds one array a sequence;
        for a model of several, a list or tuple holds one entry an input, in order, and a dict one
        by name. The inputs of a subclassed model that has not been called are told from sequences
        by a tuple or dict.

        Args:
            x: an array, `Steps`, or a list with one array a sequence; several of these for several
                inputs; or batches `(x, y)` or `(x, y, sample_weight)`, from a generator or anything
                else that can be iterated over, or that has a length and numbered batches.
            y: the targets: one a step, or one a sample, in the form of `x`; for several outputs a
                list or tuple in their order, or a dict by their names.
            batch_size: samples in a batch, 32 by default; for lists about that many sequences.
            epochs: the epoch to stop after.
            verbose: 0 is silent, 1 a progress bar, 2 a line an epoch; `"auto"` is a bar on a
                terminal and silent elsewhere.
            callbacks: objects whose methods are called between steps and epochs.
            validation_split: the share of the samples, taken from the end, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, or batches of these, to validate
                on after each epoch.
            shuffle: whether each epoch goes through the samples in another random order.
            class_weight: a weight for each class, for targets that are classes.
            sample_weight: a weight for each sample or each step; for several outputs one for all,
                or a list or dict.
            initial_epoch: the epoch to start at.
            steps_per_epoch: after how many batches an epoch ends; the next goes on from there.
            validation_steps: how many batches to validate on.
            validation_batch_size: samples in a batch of validation.
            validation_freq: validate every so many epochs.

        Returns:
            The history: `history.history` has a list for each measure, with a value an epoch.

        Raises:
            StateError: the model has not been compiled.
            DataError: inputs, targets and weights do not go together.

        Example:
            >>> import everystep as es, numpy as np
            >>> layers = [es.layers.LSTM(4, return_sequences=True), es.layers.Dense(2)]
            >>> model = es.Sequential(layers)
            >>> model.compile("adam", es.losses.SparseCategoricalCrossentropy(from_logits=True))
            >>> x = [np.zeros((n, 3), "float32") for n in (5, 2, 7)]
            >>> y = [np.zeros(n, int) for n in (5, 2, 7)]
            >>> history = model.fit(x, y, epochs=2)
            >>> len(history.history["loss"])
            2
        """
        self._needs_compile("fit")
        batch_size = batch_size or 32
        train, held = split_off(self, x, y, sample_weight, validation_split)
        held = validation_data if validation_data is not None else held
        held = None if held is None else as_triple(held)
        source = self._source(
            *train, class_weight, batch_size=batch_size, also=held, steps=steps_per_epoch
        )
        validation = None
        if held is not None:
            size = validation_batch_size or batch_size
            validation = self._source(*held, batch_size=size, steps=validation_steps)
        first, count = source.peek()
        programs = self._ready_programs(first)
        check_labels(programs.measures, source, validation)
        self.history = History()
        calls = CallbackList([*(callbacks or ()), self.history], self, loop_params(epochs, count))
        self.stop_training = False
        self.running = Running(
            model=self,
            programs=programs,
            calls=calls,
            source=source,
            first=first,
            count=count,
            validation=validation,
            epochs=epochs,
            shuffle=shuffle,
            verbose=verbose,
            validation_freq=validation_freq,
            epoch=initial_epoch,
        )
        try:
            self.running.run()
        finally:
            self.running = None
        return self.history

    def _evaluate_epoch(
        self, programs: Programs, epoch: Epoch, calls: CallbackList, progress: Any = None
    ) -> dict[str, float]:
        programs.measures.reset()
        calls.on_test_begin()
        logs: dict[str, Any] = {}
        done = 0
        for batches in grouped(epoch, self.steps_per_execution):
            calls.on_test_batch_begin(done)
            logs = programs.evaluate(batches)
            done += len(batches)
            if progress is not None:
                progress.advance(logs, sum(map(real_steps, batches)), len(batches))
            calls.on_test_batch_end(done - 1, logs)
        measured = floats(logs)
        calls.on_test_end(measured)
        return measured

    @checked(**ARGUMENTS)
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Measure the model on data, real steps only.

        Args:
            x: inputs, as for `fit`.
            y: targets, as for `fit`.
            batch_size: samples in a batch.
            verbose: as for `fit`.
            sample_weight: a weight for each sample or each step.
            steps: how many batches to measure; all by default.
            callbacks: objects whose methods are called before and after.
            return_dict: whether to return a dict by name.

        Returns:
            The loss, or a list of the loss and all metrics where there are some, or a dict.

        Raises:
            StateError: the model has not been compiled.
        """
        self._needs_compile("evaluate")
        source = self._source(x, y, sample_weight, batch_size=batch_size or 32, steps=steps)
        first, count = source.peek(complete=True)
        programs = self._ready_programs(first)
        check_labels(programs.measures, source)
        calls = CallbackList(callbacks or (), self, loop_params(1, count))
        epoch = source.epoch(complete=True)
        with progress_for(verbose, "Evaluate") as progress:
            progress.start(count or 0, epoch.filled)
            logs = self._evaluate_epoch(programs, epoch, calls, progress)
            progress.finish(logs)
        return reported(logs, return_dict)

    @checked(**ARGUMENTS)
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> Any:
        """Return the model's outputs for data.

        Args:
            x: inputs, as for `fit`.
            batch_size: samples in a batch.
            verbose: as for `fit`.
            steps: how many batches to go through; all by default.
            callbacks: objects whose methods are called before and after.

        Returns:
            A NumPy array for an array; for a list, a list with the output of each sequence, in
            the same order; for several outputs these in the container in which the model gives
            them.
        """
        source = self._source(x, batch_size=batch_size or 32, steps=steps)
        first, count = source.peek(complete=True)
        epoch, programs = source.epoch(complete=True), self._ready_programs(first)
        calls = CallbackList(callbacks or (), self, loop_params(1, count))
        calls.on_predict_begin()
        outputs = []
        with progress_for(verbose, "Predict") as progress:
            progress.start(count or 0, epoch.filled)
            for number, batch in enumerate(epoch):
                calls.on_predict_batch_begin(number)
                found = jax.tree.map(np.asarray, programs.predict(batch))
                outputs.append(epoch.taken(found))
                progress.advance({}, real_steps(batch))
                calls.on_predict_batch_end(number, {"outputs": outputs[-1]})
            progress.finish({})
        calls.on_predict_end()
        return source.collect(epoch, outputs)

    @checked(class_weight=optional(MAPPING))
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one step of training on one batch, and return the measures of that batch."""
        self._needs_compile("train_on_batch")
        batch, programs = self._one_batch(x, y, sample_weight, class_weight)
        programs.measures.reset()
        logs = programs.train([batch], seed_key(global_seed()), self._steps_done)
        self._steps_done += 1
        return reported(floats(logs), return_dict)

    @checked
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the measures of one batch."""
        self._needs_compile("test_on_batch")
        batch, programs = self._one_batch(x, y, sample_weight)
        programs.measures.reset()
        return reported(floats(programs.evaluate([batch])), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the model's outputs for one batch."""
        batch, programs = self._one_batch(x)
        return jax.tree.map(np.asarray, programs.predict(batch))

    # What the methods share.

    def _source(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        *,
        batch_size: int,
        also: Any = None,
        steps: int | None = None,
    ) -> Source:
        """Return the source of what was handed over.

        Args:
            x: the inputs, or batches.
            y: the targets.
            sample_weight: the weights.
            class_weight: the weights of classes.
            batch_size: samples in a batch.
            also: data to validate on, whose sequences should fit into the same rows.
            steps: how many batches an epoch has; None for all.
        """
        source = self._stream(x, y, sample_weight, class_weight)
        if source is None:
            source = self._checked(x, y, sample_weight, class_weight, batch_size, also)
        return source if steps is None else Portion(source, steps)

    def _stream(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Source | None:
        """Return the source of batches that come as they are, or None where `x` is the data."""
        if not gives_batches(x):
            return None
        if y is not None or sample_weight is not None:
            raise SettingError(
                "where x gives batches, y and sample_weight come with them: let it give "
                "(x, y, sample_weight), and pass neither"
            )

        def converted(x: Any, y: Any = None, sample_weight: Any = None) -> Source:
            return self._checked(x, y, sample_weight, class_weight if y is not None else None)

        return StreamSource(x, converted)

    def _checked(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        batch_size: int | None = None,
        also: Any = None,
    ) -> Source:
        model: Any = self
        shapes = self._shapes = self._shapes or Shapes()
        if also is not None and not gives_batches(also[0]):
            for item in inputs_of(model, also[0], also[1]).items:
                if isinstance(item, list | tuple):
                    shapes.row_length = max(shapes.row_length, *map(len, item))
        source = source_of(
            model,
            x,
            y,
            sample_weight,
            class_weight,
            batch_size=batch_size,
            shapes=shapes,
            max_shapes=counted(self.max_shapes),
        )
        source.check(model)
        return source

    def _one_batch(self, *data: Any) -> tuple[MiniBatch, Programs]:
        source = self._checked(*data)
        batch, _ = source.peek()
        programs = self._ready_programs(batch)
        check_labels(programs.measures, source)
        return batch, programs

    def _ready_programs(self, batch: MiniBatch) -> Programs:
        """Build the model if it is new, and return its programs, made anew if it has changed."""
        model: Any = self
        if not model.built:
            model(opened(batch.inputs))
        if self._programs is None or not self._programs.fit_to(model, batch):
            self._note_programs(model.name)
            measures = measures_for(model, self._compiled, batch)
            self._programs = Programs(
                model, measures, self.optimizer, self.run_eagerly, self.max_shapes
            )
        return self._programs

    def _note_programs(self, name: str) -> None:
        """Warn once, where a model's programs are made again and again."""
        self._programs_made += 1
        if self._programs_made == self.max_shapes + 2:
            why, cure = _MADE_ANEW[self._programs is None]
            warn_user(
                f"model '{name}' makes its programs for the {self._programs_made}th time, and "
                f"JAX compiles them each time, which takes seconds, because {why}. To avoid it, "
                f"{cure}; if so many are meant, set max_shapes in compile"
            )


_MADE_ANEW = {
    True: (
        "compile is called again, or layers are added",
        "call compile once; optimizer.learning_rate and weights can be set at any time",
    ),
    False: (
        "trainable is changed from one use to the next",
        "do more with the model before it is changed, such as many batches in one fit",
    ),
}
"""Why programs are made anew, and what to do: whether they were given up, or do not fit."""

MODEL = instance_of("a model, such as Sequential", Trainer)
