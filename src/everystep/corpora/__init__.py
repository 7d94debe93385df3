"""Labelled sequences to learn from, and the vocabularies that turn them into ids.

The corpus of the demonstration is Python source that every machine has: the standard library of
the running interpreter, each token with the role that it plays.
"""

from everystep.corpora.baselines import (
    BaselineScore,
    MajorityBaseline,
    majority_baseline,
    score_baseline,
)
from everystep.corpora.python_source import (
    LONGEST,
    SourceSequence,
    Token,
    read_source,
    read_source_file,
)
from everystep.corpora.readers import READERS, Reader, reader, reader_for, write_table
from everystep.corpora.sentences import Sentence
from everystep.corpora.signals import (
    Signal,
    Windows,
    csv_header,
    csv_text,
    read_csv_signals,
    read_numpy_signals,
)
from everystep.corpora.source_roles import NAME_ROLES, ROLES
from everystep.corpora.standard_library import (
    Skipped,
    SourceCorpus,
    Split,
    read_standard_library,
    split_of,
    standard_library_files,
)
from everystep.corpora.vocabulary import PADDING, UNKNOWN, Vocabulary
from everystep.corpora.word_vectors import WordVectors, read_word_vectors

__all__ = [
    "LONGEST",
    "NAME_ROLES",
    "PADDING",
    "READERS",
    "ROLES",
    "UNKNOWN",
    "BaselineScore",
    "MajorityBaseline",
    "Reader",
    "Sentence",
    "Signal",
    "Skipped",
    "SourceCorpus",
    "SourceSequence",
    "Split",
    "Token",
    "Vocabulary",
    "Windows",
    "WordVectors",
    "csv_header",
    "csv_text",
    "majority_baseline",
    "read_csv_signals",
    "read_numpy_signals",
    "read_source",
    "read_source_file",
    "read_standard_library",
    "read_word_vectors",
    "reader",
    "reader_for",
    "score_baseline",
    "split_of",
    "standard_library_files",
    "write_table",
]
