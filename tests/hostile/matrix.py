"""The matrix of cases and formats: the attacks of each, or why there is none."""

from __future__ import annotations

from tests.hostile.attack import Attack
from tests.hostile.formats import OWN, TEXTS
from tests.hostile.keras_files import keras_attacks
from tests.hostile.own import own_attacks
from tests.hostile.records import record_attacks
from tests.hostile.tables import table_attacks
from tests.hostile.texts import text_attacks

NO_SUM = "foreign, without a checksum: what a flipped bit leaves is refused or is sane data"
NO_HEADER = "its lines have no lengths, and no sizes are promised"
NO_SIZES = "any text of tokens has the right shape"
NO_KEYS = "it has no keys"
NO_TYPES = "text has no dtype"
NO_NESTING = "it neither nests nor has numbers"
NO_NAMES = "nothing in it is a name by which something is kept"
NO_ARCHIVE = "it is one file, not an archive of several"
NOT_PACKED = "nothing in it is packed, and no array is larger than its bytes"
NO_LINKS = "it is not HDF5 and knows no links"
NO_CLASSES = "it names no class and no function"
NO_PLACES = "nothing in it is a path or an address, and none is looked for"
NO_VERSION = "another's format, whose versions its own library tells apart"
NO_WEIGHTS = "it holds no weights"
NO_NUMBERS = "it holds no numbers that may be infinite"

TABLES = ("parquet", "arrow")
ARRAYS = ("npy", "npy labels")
TOKEN_TEXTS = ("conllu", "columns", "jsonl", "tokens", "python")
NOT_KERAS = (*OWN, *TEXTS, *TABLES, *ARRAYS, "settings")

REASONS: list[tuple[str, tuple[int, ...], tuple[str, ...]]] = [
    (NO_SUM, (2,), (*TABLES, *ARRAYS, "keras weights", "settings")),
    (NO_HEADER, (3, 4), (*TOKEN_TEXTS, "csv", "settings")),
    (NO_SIZES, (5,), ("tokens", "python")),
    (NO_KEYS, (6,), ("columns", "tokens", "python", "keras weights")),
    (NO_TYPES, (7,), (*TEXTS, "settings")),
    (NO_NESTING, (8,), ("columns", "tokens")),
    (NO_NAMES, (10,), (*TEXTS, *TABLES, *ARRAYS, "settings")),
    (NO_ARCHIVE, (11,), (*OWN, *TEXTS, *TABLES, *ARRAYS, "settings", "keras weights")),
    (NOT_PACKED, (12,), (*OWN, *ARRAYS, "arrow")),
    (NO_LINKS, (13,), NOT_KERAS),
    (NO_CLASSES, (15,), ("weights", "checkpoint", "keras weights", *TEXTS, "npy labels")),
    (NO_PLACES, (16,), ("weights", "checkpoint", "keras weights", *TEXTS, *TABLES)),
    (NO_VERSION, (17,), ("keras weights", *TEXTS, *TABLES, *ARRAYS, "settings")),
    (NO_WEIGHTS, (18,), (*TEXTS, *ARRAYS, "settings")),
    (NO_NUMBERS, (19,), (*TOKEN_TEXTS, *TABLES)),
]
"""Why cases are none for formats, unless there is an attack all the same."""


def attacks() -> list[Attack]:
    return [
        *own_attacks(),
        *record_attacks(),
        *keras_attacks(),
        *text_attacks(),
        *table_attacks(),
    ]
