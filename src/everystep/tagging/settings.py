"""What a tagger is made of and how it is trained: plain values, each with its range."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from everystep.tagging.ranges import Ranged, either, number, one_of, setting, whole

_STEPS, _SMALLEST, _LARGEST = 200, 3, 6
"""Steps of an epoch that small corpora should have, and powers of two that batches have at most."""
_SIZE = whole(1, 65_536)
_SHARE = number(0, 0.95, including=True)


@dataclass(frozen=True)
class Settings(Ranged):
    """The settings of a `Tagger`, all of them plain values that TOML and JSON can hold.

    The defaults were chosen on the development part of UD English-EWT alone, but for the size of
    batches of smaller corpora, which was chosen on that of WNUT17.

    Args:
        embedding: features of a word's vector.
        lowercase: whether words are looked up in lower case; characters keep their case.
        digits: whether words are looked up with every digit as 0.
        minimum_count: how often training must see a word to give it a vector of its own.
        train_vectors: whether the vectors of a file of them change in training. Where they do not,
            words that training never saw keep their place among those that it saw.
        unseen_vectors: how many words of that file that training never saw have their vector too,
            from the first on, which mostly are the frequent ones; the tagger's file holds them.
        word_dropout: a word seen n times is unknown with the chance a / (a + n) in training; this
            is a.
        characters: what reads the characters of a word: `"lstm"`, `"cnn"` or `"none"`.
        character_embedding: features of a character's vector.
        character_units: units in each direction, or half the filters of the convolution.
        spelling: how many characters of a word are read; of longer ones the first and last halves.
        encoder: what reads the sentence: `"lstm"`, `"gru"`, `"convolution"` (dilated) or
            `"attention"`.
        layers: how many of these are stacked.
        units: units in each direction; half the features of a convolution or of attention.
        dropout: the share of features that are left out in training, before and after each layer.
        crf: whether a conditional random field scores whole label sequences: true, false, or
            `"auto"` for true where labels are those of entities (BIO, BIOES).
        batch_size: about how many sentences a step of training reads; `"auto"` is the power of two
            from 8 to 64 with which an epoch has nearest to 200 steps.
        epochs: how often training goes through all sentences at most.
        learning_rate: the first rate of Adam, which falls to zero in a straight line.
        clip: the largest norm of all gradients together.
        patience: after how many epochs without a better score on dev training ends.
        monitor: the score that says which epoch is best: `"accuracy"`, `"entity_f1"`, or `"auto"`
            for the second where there are entities.
        seed: where all random numbers come from.

    Raises:
        SettingError: a value is out of its range; the message names all of them.

    Example:
        >>> Settings(units=64).units
        64
        >>> Settings(units=0)
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: units: expected a whole number from 1 to 65536, got 0
        >>> Settings.from_dict({"layers": 2, "untis": 9})
        Traceback (most recent call last):
            ...
        everystep.errors.SettingError: no setting is called 'untis'; did you mean 'units'?
    """

    embedding: int = setting(100, _SIZE)
    lowercase: bool = setting(True, one_of(True, False))
    digits: bool = setting(True, one_of(True, False))
    minimum_count: int = setting(1, _SIZE)
    train_vectors: bool = setting(False, one_of(True, False))
    unseen_vectors: int = setting(100_000, whole(0, 5_000_000))
    word_dropout: float = setting(1.0, number(0, 1000, including=True))
    characters: str = setting("lstm", one_of("lstm", "cnn", "none"))
    character_embedding: int = setting(48, _SIZE)
    character_units: int = setting(64, _SIZE)
    spelling: int = setting(16, whole(2, 256))
    encoder: str = setting("lstm", one_of("lstm", "gru", "convolution", "attention"))
    layers: int = setting(1, whole(1, 64))
    units: int = setting(200, _SIZE)
    dropout: float = setting(0.5, _SHARE)
    crf: bool | str = setting("auto", one_of(True, False, "auto"))
    batch_size: int | str = setting("auto", either(_SIZE, one_of("auto")))
    epochs: int = setting(10, _SIZE)
    learning_rate: float = setting(4e-3, number(0, 10))
    clip: float = setting(5.0, number(0, 1e6))
    patience: int = setting(4, _SIZE)
    monitor: str = setting("auto", one_of("accuracy", "entity_f1", "auto"))
    seed: int = setting(1, whole(0))

    def batch_for(self, sentences: int) -> int:
        """Return about how many of so many sentences a step of training reads.

        >>> [Settings().batch_for(count) for count in (1, 3_394, 12_544, 1_000_000)]
        [8, 16, 64, 64]
        """
        if isinstance(self.batch_size, int):
            return self.batch_size
        nearest = round(log2(max(sentences, 1) / _STEPS))
        return int(2 ** min(max(nearest, _SMALLEST), _LARGEST))
