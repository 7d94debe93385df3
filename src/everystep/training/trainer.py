"""Trainer: compile, fit, evaluate and predict, as Keras has them, for every model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep import losses, optimizers
from everystep.callbacks import Callback, CallbackList, History
from everystep.core.randomness import global_seed, path_number, seed_key
from everystep.core.registry import serialize
from everystep.errors import StateError
from everystep.training.feeding import Epoch, MiniBatch, Source, source_of
from everystep.training.preparation import (
    Compiled,
    as_triple,
    check_labels,
    floats,
    listed_metrics,
    loop_params,
    measures_for,
    real_steps,
    reported,
    split_off,
)
from everystep.training.programs import Programs
from everystep.training.progress import progress_for

if TYPE_CHECKING:
    pass


class Trainer:
    """The methods of a model for training and use; `Model` puts them on a layer."""

    optimizer: Any = None
    history: History
    stop_training: bool = False
    _compiled: Compiled | None = None
    _programs: Programs | None = None
    _steps_done: int = 0
    _epochs_done: int = 0
    _row_length: int = 0

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Iterable[Any] | None = None,
        weighted_metrics: Iterable[Any] | None = None,
    ) -> None:
        """Choose how the model is trained and measured.

        Args:
            optimizer: a name such as `"adam"`, an optimizer, or an optax transformation.
            loss: a name such as `"sparse_categorical_crossentropy"`, a loss, or a function of
                targets and outputs that gives a value for each step.
            metrics: names, metrics or functions; every real step counts alike.
            weighted_metrics: the same, where each step counts by its sample weight.

        Raises:
            SettingError: a name is not known; the message says which is near.

        Example:
            >>> import everystep as es
            >>> model = es.Sequential([es.layers.Dense(2, input_shape=(None, 3))])
            >>> model.compile("adam", "mse", metrics=["mae"])
        """
        self.optimizer = optimizers.get(optimizer)
        self._compiled = Compiled(
            self.optimizer,
            None if loss is None else losses.resolve(loss),
            listed_metrics(metrics),
            listed_metrics(weighted_metrics),
        )
        self.forget_programs()

    def forget_programs(self) -> None:
        """Compile anew at the next step, because the model or its training has changed."""
        self._programs = None

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
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train the model.

        Lists of arrays of different lengths are packed into rows of one fixed shape; loss and
        metrics count real steps only.

        Args:
            x: an array, `Steps`, or a list with one array a sequence.
            y: the targets: one a step, or one a sample, in the form of `x`.
            batch_size: samples in a batch, 32 by default; for lists about that many sequences.
            epochs: the epoch to stop after.
            verbose: 0 is silent, 1 a progress bar, 2 a line an epoch; `"auto"` is a bar on a
                terminal and silent elsewhere.
            callbacks: objects whose methods are called between steps and epochs.
            validation_split: the share of the samples, taken from the end, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on after each epoch.
            shuffle: whether each epoch goes through the samples in another random order.
            class_weight: a weight for each class, for targets that are classes.
            sample_weight: a weight for each sample or each step.
            initial_epoch: the epoch to start at.
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
        train, held = split_off(x, y, sample_weight, validation_split)
        held = validation_data if validation_data is not None else held
        source = self._source(*train, class_weight, batch_size=batch_size, also=held)
        validation = None
        if held is not None:
            size = validation_batch_size or batch_size
            validation = self._source(*as_triple(held), batch_size=size)
        first = source.epoch()
        programs = self._ready_programs(first[0])
        check_labels(programs.measures, source, validation)
        self.history = History()
        calls = CallbackList(
            [*(callbacks or ()), self.history], self, loop_params(epochs, len(first))
        )
        self.stop_training = False
        calls.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            calls.on_epoch_begin(epoch)
            order = self._shuffle_order() if shuffle else None
            with progress_for(verbose, f"Epoch {epoch + 1}/{epochs}") as progress:
                logs = self._train_epoch(programs, source.epoch(order), calls, progress)
                if validation is not None and (epoch + 1) % validation_freq == 0:
                    logs |= self._validated(programs, validation, calls)
                progress.finish(logs)
            self._epochs_done += 1
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(list(programs.trainable.values()))
        calls.on_train_end(logs)
        return self.history

    def _train_epoch(
        self, programs: Programs, epoch: Epoch, calls: CallbackList, progress: Any
    ) -> dict[str, float]:
        programs.measures.reset()
        key = seed_key(global_seed())
        logs: dict[str, Any] = {}
        progress.start(len(epoch))
        for number, batch in enumerate(epoch):
            calls.on_train_batch_begin(number)
            logs = programs.train(batch, key, self._steps_done)
            self._steps_done += 1
            progress.advance(logs, real_steps(batch.inputs))
            calls.on_train_batch_end(number, logs)
            if self.stop_training:
                break
        return floats(logs)

    def _validated(
        self, programs: Programs, validation: Source, calls: CallbackList
    ) -> dict[str, float]:
        measured = self._evaluate_epoch(programs, validation.epoch(complete=True), calls)
        return {f"val_{name}": value for name, value in measured.items()}

    def _evaluate_epoch(
        self, programs: Programs, epoch: Epoch, calls: CallbackList, progress: Any = None
    ) -> dict[str, float]:
        programs.measures.reset()
        calls.on_test_begin()
        logs: dict[str, Any] = {}
        for number, batch in enumerate(epoch):
            calls.on_test_batch_begin(number)
            logs = programs.evaluate(batch)
            if progress is not None:
                progress.advance(logs, real_steps(batch.inputs))
            calls.on_test_batch_end(number, logs)
        measured = floats(logs)
        calls.on_test_end(measured)
        return measured

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
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
            callbacks: objects whose methods are called before and after.
            return_dict: whether to return a dict by name.

        Returns:
            The loss, or a list of the loss and all metrics where there are some, or a dict.

        Raises:
            StateError: the model has not been compiled.
        """
        self._needs_compile("evaluate")
        source = self._source(x, y, sample_weight, batch_size=batch_size or 32)
        epoch = source.epoch(complete=True)
        programs = self._ready_programs(epoch[0])
        check_labels(programs.measures, source)
        calls = CallbackList(callbacks or (), self, loop_params(1, len(epoch)))
        with progress_for(verbose, "Evaluate") as progress:
            progress.start(len(epoch))
            logs = self._evaluate_epoch(programs, epoch, calls, progress)
            progress.finish(logs)
        return reported(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | None = None,
    ) -> Any:
        """Return the model's outputs for data.

        Args:
            x: inputs, as for `fit`.
            batch_size: samples in a batch.
            verbose: as for `fit`.
            callbacks: objects whose methods are called before and after.

        Returns:
            A NumPy array for an array; for a list, a list with the output of each sequence, in
            the same order.
        """
        source = self._source(x, batch_size=batch_size or 32)
        epoch = source.epoch(complete=True)
        programs = self._ready_programs(epoch[0])
        calls = CallbackList(callbacks or (), self, loop_params(1, len(epoch)))
        calls.on_predict_begin()
        outputs = []
        with progress_for(verbose, "Predict") as progress:
            progress.start(len(epoch))
            for number, batch in enumerate(epoch):
                calls.on_predict_batch_begin(number)
                outputs.append(jax.tree.map(np.asarray, programs.predict(batch.inputs)))
                progress.advance({}, real_steps(batch.inputs))
                calls.on_predict_batch_end(number, {"outputs": outputs[-1]})
            progress.finish({})
        calls.on_predict_end()
        return source.collect(epoch, outputs)

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
        logs = programs.train(batch, seed_key(global_seed()), self._steps_done)
        self._steps_done += 1
        return reported(floats(logs), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the measures of one batch."""
        self._needs_compile("test_on_batch")
        batch, programs = self._one_batch(x, y, sample_weight)
        programs.measures.reset()
        return reported(floats(programs.evaluate(batch)), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the model's outputs for one batch."""
        batch, programs = self._one_batch(x)
        return jax.tree.map(np.asarray, programs.predict(batch.inputs))

    # What the methods share.

    def _needs_compile(self, asked: str) -> None:
        if self._compiled is None:
            raise StateError(
                f"You must call `compile()` before using the model: {asked} needs an optimizer and "
                "a loss. Call model.compile('adam', "
                "'sparse_categorical_crossentropy') first"
            )

    def _source(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        *,
        batch_size: int,
        also: Any = None,
    ) -> Source:
        model: Any = self
        if also is not None and isinstance(also[0], list | tuple):
            self._row_length = max(self._row_length, *(len(sequence) for sequence in also[0]))
        source = source_of(
            model,
            x,
            y,
            sample_weight,
            class_weight,
            batch_size=batch_size,
            row_length=self._row_length,
        )
        source.check(model)
        self._row_length = max(self._row_length, getattr(source, "row_length", None) or 0)
        return source

    def _one_batch(self, *data: Any) -> tuple[MiniBatch, Programs]:
        source = self._source(*data, batch_size=2**31)
        batch: MiniBatch = source.epoch()[0]
        programs = self._ready_programs(batch)
        check_labels(programs.measures, source)
        return batch, programs

    def _ready_programs(self, batch: MiniBatch) -> Programs:
        """Build the model if it is new, and return its programs, made anew if it has changed."""
        model: Any = self
        if not model.built:
            model(batch.inputs)
        if self._programs is None or not self._programs.fit_to(model, batch):
            measures = measures_for(model, self._compiled, batch)
            self._programs = Programs(model, measures, self.optimizer)
        return self._programs

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return what `compile` was given as plain data, or None."""
        if self._compiled is None:
            return None
        return {
            "optimizer": serialize(self._compiled.optimizer),
            "loss": serialize(self._compiled.loss),
            "metrics": serialize(list(self._compiled.metrics)),
            "weighted_metrics": serialize(list(self._compiled.weighted_metrics)),
        }

    def _shuffle_order(self) -> np.random.Generator:
        place = (path_number("shuffle"), self._epochs_done)
        return np.random.default_rng(np.random.SeedSequence(global_seed(), spawn_key=place))
