"""Real electrocardiograms, where LUDB lies in a folder beside the repository: a tiny training."""

import numpy as np

import everystep as es
from everystep.corpora.signals import read_numpy_signals
from tests.corpora.readers.test_real_corpora import data_file

SETTINGS = {
    "rate": 500,
    "names": ["background", "P", "QRS", "T"],
    "filters": 12,
    "units": 12,
    "layers": 1,
    "batch_size": 8,
    "window": 1000,
    "overlap": 500,
    "fold": 10,
    "convolutions": 1,
    "epochs": 10,
    "learning_rate": 0.03,
}


def test_a_few_records_are_enough_to_find_most_waves_of_others() -> None:
    values, marks = (
        data_file(f"LUDB/{name}")
        for name in ("signal_ii_v2_v5_int16.npy", "label_ii_v2_v5_uint8.npy")
    )
    signals = list(read_numpy_signals(values, marks, label_channel=0))
    assert {signal.values.shape for signal in signals} == {(5000, 3)}
    labelled = np.concatenate([np.asarray(signal.labels) for signal in signals])
    assert int((labelled != 255).sum()) == 731438
    tagger = es.SignalTagger.train(signals[:8], None, SETTINGS, verbose=0)
    found = tagger.evaluate(signals[8:12])
    most = max(one["support"] for one in found["labels"].values()) / found["steps"]
    assert found["accuracy"] > 0.75 > most
    assert found["segments"]["classes"]["QRS"]["segment"]["sensitivity"] > 0.8
