"""Ours: a tagger is trained by one call."""

from typing import Any

from benchmarks._accuracy import data
from benchmarks._accuracy.clock import Clock
from benchmarks._question import Sizes

NAMES = (
    "embedding",
    "character_embedding",
    "character_units",
    "spelling",
    "units",
    "batch_size",
    "epochs",
)


def train(sizes: Sizes, clock: Clock) -> None:
    """Train on sentences, with the settings that the case names and the defaults."""
    import everystep as es
    from everystep.callbacks import Callback
    from everystep.corpora import reader

    class Watch(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            clock.step()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            clock.epoch((logs or {})["dev_accuracy"])

    most = int(sizes["sentences"])
    given = [list(reader("conllu", "upos").read(path))[:most] for path in data.paths(sizes)]
    train, dev = ([sentence for sentence in part if sentence.tokens] for part in given)
    settings = {name: int(sizes[name]) for name in NAMES}
    es.Tagger.train(train, dev, settings, verbose=0, callbacks=[Watch()])
