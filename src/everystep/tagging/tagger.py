"""Tagger: from labelled sentences to a model that labels others, in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from everystep.callbacks import Callback
from everystep.corpora.sentences import Sentence
from everystep.errors import SettingError
from everystep.kinds import EACH, LISTED, VERBOSE, Kind, checked, instance_of, optional
from everystep.tagging import training
from everystep.tagging.files import read_tagger, write_tagger
from everystep.tagging.measuring import Measured, measure
from everystep.tagging.model import CHUNK, TaggerModel
from everystep.tagging.samples import check_labels, labelled, unlabelled
from everystep.tagging.settings import Settings

_ONE_OR_MORE = Kind(
    "a Sentence, or a list of them",
    lambda value: value if isinstance(value, Sentence) else EACH.parse(value),
)
_SETTINGS = optional(instance_of("Settings, or a mapping with some of them", Settings, Mapping))


class Tagger:
    """Gives each token of a sentence its label; `Tagger.train` and `Tagger.load` make one.

    A word is read as a vector of its own, and character by character; the sentence is read in both
    directions on top of that. See `Settings` for what can be chosen.

    Args:
        model: features, labels and network.
        record: how it was trained: settings, seed, versions, the curve and the scores.

    Example:
        >>> import everystep as es
        >>> words = [("the", "DET"), ("cat", "NOUN"), ("sat", "VERB")]
        >>> tokens, labels = zip(*words)
        >>> settings = {"epochs": 20, "units": 8, "dropout": 0.0, "learning_rate": 0.05}
        >>> tagger = es.Tagger.train([(tokens, labels)] * 8, settings=settings, verbose=0)
        >>> tagger.predict([["the", "cat"], ["sat"]])
        [['DET', 'NOUN'], ['VERB']]
        >>> tagger.predict(["the", "cat", "sat"])
        ['DET', 'NOUN', 'VERB']
    """

    def __init__(self, model: TaggerModel, record: Mapping[str, Any]) -> None:
        self._model = model
        self.record = dict(record)

    @classmethod
    @checked(
        sentences=EACH, dev=optional(EACH), settings=_SETTINGS, verbose=VERBOSE, callbacks=LISTED
    )
    def train(
        cls,
        sentences: Iterable[Any],
        dev: Iterable[Any] | None = None,
        settings: Settings | Mapping[str, Any] | None = None,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] = (),
        resume: str | PathLike[str] | None = None,
        vectors: str | PathLike[str] | None = None,
    ) -> Self:
        """Train a tagger.

        The same sentences, settings and seed give the same weights on one machine. With `dev`, it
        is measured after each epoch, training ends when it gets no better, and the weights of the
        best epoch are kept; without, all epochs are run and the last weights are kept.

        Args:
            sentences: what to learn from: `Sentence`s, or pairs of tokens and labels.
            dev: other sentences to measure on.
            settings: `Settings`, or a mapping with some of them.
            verbose: as for `Model.fit`.
            callbacks: objects whose methods are called between steps and epochs.
            resume: a folder that keeps how far training is; see `callbacks.Checkpoints`. A training
                that it holds goes on, and gives the bits that it would have given. It stays at the
                end, when nothing of it is trained again: remove it once the tagger is saved.
            vectors: a file of word vectors that were trained elsewhere, as word2vec, GloVe and
                fastText write them as text; see `corpora.read_word_vectors`. Each step has that of
                its word beside what is learned of it here, a word that has none there 0. The tagger
                keeps them; `Settings.train_vectors` and `unseen_vectors` say how, and the record
                how many steps of training have one.

        Returns:
            The tagger; its `record` says how training went.

        Raises:
            DataError: a sentence has no labels, there is no token to learn from, or `vectors` has
                none of the words.
            SettingError: a setting is not known, or has a value that it cannot take.
            FormatError: `resume` is damaged, or of other settings, sentences or vectors.
            CorpusError: `vectors` cannot be read; the message names file and line.
        """
        if isinstance(settings, Mapping):
            settings = Settings.from_dict(settings)
        known = labelled(sentences, "train")
        measured = None if dev is None else labelled(dev, "dev")
        chosen = settings or Settings()
        return cls(*training.train(known, measured, chosen, verbose, callbacks, resume, vectors))

    @classmethod
    @checked
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a tagger that `save` wrote. Nothing in a file is ever run.

        Raises:
            FormatError: the file is damaged, hostile, holds no tagger or is from a newer version.
            OSError: the file does not exist or cannot be read.
        """
        return cls(*read_tagger(path))

    @checked
    def save(self, path: str | PathLike[str]) -> None:
        """Write the tagger with vocabularies, labels, settings, weights and record into one file.

        Args:
            path: where to write, with the suffix `.everystep`; a file that is there is replaced in
                one move, or kept where anything fails.

        Raises:
            FormatError: the suffix is another one.
            OSError: the disk is full, read-only or broken.
        """
        write_tagger(path, self._model, self.record)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the tagger can give, in the order of `probabilities`."""
        return self._model.labels.entries

    @property
    def settings(self) -> Settings:
        """The settings with which it was trained."""
        return self._model.settings

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        return int(self._model.network.count_params())

    @checked
    def knows(self, token: str) -> bool:
        """Whether training saw a word, as it is looked up, often enough to learn its vector."""
        return self._model.features.knows(token)

    @checked(sentences=_ONE_OR_MORE)
    def predict(self, sentences: Any) -> list[Any]:
        """Return the labels of each token.

        Args:
            sentences: a list of `Sentence`s or lists of tokens; or one of these alone.

        Returns:
            A list of labels for each sentence; one list for one sentence.

        Raises:
            DataError: a sentence is no list of tokens.
        """
        if alone := _is_alone(sentences):
            sentences = [sentences]
        found = list(self.predict_stream(sentences))
        return found[0] if alone else found

    @checked(sentences=EACH)
    def predict_stream(self, sentences: Iterable[Any], chunk: int = CHUNK) -> Iterator[list[str]]:
        """Yield the labels of one sentence after the other, in memory that does not grow.

        Args:
            sentences: `Sentence`s or lists of tokens, as many as there are.
            chunk: how many are read before the first of them is labelled: 1 answers at once, more
                are quicker.

        Raises:
            DataError: a sentence is no list of tokens.
            SettingError: `chunk` is less than 1.
        """
        return self._model.label(unlabelled(sentences), _checked(chunk))

    @checked(sentences=_ONE_OR_MORE)
    def probabilities(self, sentences: Any) -> Any:
        """Return how likely each label is at each token.

        Shapes: (steps, labels) for each sentence, in the order of `labels`; rows add up to 1.

        Args:
            sentences: as for `predict`.

        Raises:
            DataError: a sentence is no list of tokens.
        """
        if alone := _is_alone(sentences):
            sentences = [sentences]
        found = [likely for _, likely in self.likely_stream(sentences)]
        return found[0] if alone else found

    @checked(sentences=EACH)
    def likely_stream(
        self, sentences: Iterable[Any], chunk: int = CHUNK
    ) -> Iterator[tuple[list[str], npt.NDArray[np.float32]]]:
        """Yield the labels of each sentence as `predict` gives them, with `probabilities`.

        Shapes: the second (steps, labels), in the order of `labels`.

        The labels are those of the most probable sequence. Where a random field scores sequences,
        one of them may be less probable at its step than another label.

        Args:
            sentences: as for `predict_stream`.
            chunk: as for `predict_stream`.

        Raises:
            DataError: a sentence is no list of tokens.
            SettingError: `chunk` is less than 1.
        """
        return self._model.likely(unlabelled(sentences), _checked(chunk))

    @checked(sentences=EACH)
    def evaluate(self, sentences: Iterable[Any]) -> dict[str, Any]:
        """Return how well the tagger labels sentences whose labels are known.

        Labels that training never saw count as wrong, and a warning names them.

        Args:
            sentences: `Sentence`s with labels, or pairs of tokens and labels.

        Returns:
            The figures of `Scores`: `accuracy`, `accuracy_known`, `accuracy_unknown`, `labels`,
            `steps` and, where labels are those of entities, `entity_f1`.

        Raises:
            DataError: a sentence has no labels, no label was seen in training, or there is no
                token.
        """
        return self.measure(sentences).figures

    @checked(sentences=EACH)
    def measure(self, sentences: Iterable[Any]) -> Measured:
        """Return the figures of `evaluate`, and what intervals and comparisons are made of.

        Args:
            sentences: as for `evaluate`.

        Raises:
            DataError: a sentence has no labels, no label was seen in training, or there is no
                token.
        """
        known = labelled(sentences, "data")
        check_labels("data", known, self.labels)
        return measure(self._model, known)

    def __repr__(self) -> str:
        return f"Tagger({len(self.labels)} labels, {self.parameters} parameters)"


def _checked(chunk: int) -> int:
    if chunk < 1:
        raise SettingError(f"chunk: expected 1 or more, got {chunk}")
    return chunk


def _is_alone(given: Any) -> bool:
    """Whether something is one sentence, not a list of them."""
    if isinstance(given, Sentence):
        return True
    return isinstance(given, list | tuple) and bool(given) and isinstance(given[0], str)
