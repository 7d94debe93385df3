"""torch: packed sequences, and the characters of each distinct word of a batch once."""

from typing import Any

import numpy as np

from benchmarks import _torch
from benchmarks._accuracy import data
from benchmarks._accuracy.clock import Clock
from benchmarks._accuracy.data import Corpus, Sentence
from benchmarks._question import Sizes


def train(sizes: Sizes, clock: Clock) -> None:
    """Train with Adam, whose rate falls to zero in a straight line."""
    import torch

    corpus = Corpus.read(sizes)
    torch.manual_seed(1)
    model, batch = model_of(sizes, corpus.ids), int(sizes["batch_size"])
    optimizer = torch.optim.Adam(model.parameters(), 4e-3, eps=1e-7)
    steps = int(sizes["epochs"]) * -(-len(corpus.train) // batch)
    rate = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    measure = torch.nn.CrossEntropyLoss()
    random = np.random.default_rng(1)
    for _ in range(int(sizes["epochs"])):
        model.train()
        for sentences in corpus.epoch(batch, random):
            optimizer.zero_grad()
            measure(*outputs(model, corpus, sentences, random)).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            rate.step()
            clock.step()
        model.eval()
        with torch.inference_mode():
            clock.epoch(data.accuracy(corpus, batch, lambda some: _labelled(model, corpus, some)))


def model_of(sizes: Sizes, ids: tuple[int, int, int]) -> Any:
    """The layers, drawn as Keras and everystep draw theirs."""
    from torch import nn

    words, characters, labels = ids
    vectors, letters = int(sizes["embedding"]), int(sizes["character_embedding"])
    inner, units = int(sizes["character_units"]), int(sizes["units"])
    model = nn.ModuleDict(
        {
            "words": nn.Embedding(words, vectors),
            "characters": nn.Embedding(characters, letters),
            "speller": nn.LSTM(letters, inner, batch_first=True, bidirectional=True),
            "reader": nn.LSTM(vectors + 2 * inner, units, batch_first=True, bidirectional=True),
            "dropout": nn.Dropout(0.5),
            "scores": nn.Linear(2 * units, labels),
        }
    )
    for name, weight in model.named_parameters():
        _draw(name, weight)
    return model.to(_torch.device())


def _draw(name: str, weight: Any) -> None:
    from torch.nn import init

    if "weight_hh" in name:
        for gate in weight.data.chunk(4):
            init.orthogonal_(gate)
    elif "weight_ih" in name or name == "scores.weight":
        init.xavier_uniform_(weight)
    elif name.endswith(".weight"):
        init.uniform_(weight, -0.05, 0.05)
    else:
        init.zeros_(weight)
        if "bias_ih" in name:
            # The gate that forgets is open at first.
            size = len(weight) // 4
            init.ones_(weight.data[size : 2 * size])


def outputs(
    model: Any, corpus: Corpus, sentences: list[Sentence], random: np.random.Generator | None
) -> tuple[Any, Any]:
    """The scores of all real steps of a batch, and their labels.

    Args:
        model: the layers.
        corpus: where words and spellings are.
        sentences: the batch.
        random: what drops words, in training alone.
    """
    import torch
    from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

    lengths = torch.tensor([len(sentence.kinds) for sentence in sentences])
    kinds, tags = data.padded(sentences, len(sentences), int(lengths.max()))
    words = corpus.words[kinds] if random is None else corpus.dropped(kinds, random)
    distinct, places = np.unique(kinds, return_inverse=True)
    spellings = corpus.spellings[distinct]
    # Padding is read as a spelling of one character, as no packed sequence may be empty.
    characters = torch.from_numpy(np.maximum((spellings != 0).sum(1), 1))

    def packed(values: Any, sizes: Any) -> PackedSequence:
        return pack_padded_sequence(values, sizes, batch_first=True, enforce_sorted=False)

    letters = packed(model["characters"](_torch.tensor(spellings)), characters)
    _, (last, _) = model["speller"](letters)
    spelled = last.transpose(0, 1).flatten(1)[_torch.tensor(places.reshape(kinds.shape))]
    steps = torch.cat([model["words"](_torch.tensor(words)), spelled], -1)
    read, _ = model["reader"](packed(model["dropout"](steps), lengths))
    scores = model["scores"](model["dropout"](read.data))
    return scores, packed(_torch.tensor(tags), lengths).data.long()


def _labelled(model: Any, corpus: Corpus, sentences: list[Sentence]) -> tuple[Any, Any]:
    scores, tags = outputs(model, corpus, sentences, None)
    return _torch.array(scores.argmax(-1)), _torch.array(tags)
