"""Files: named arrays and text in one file, written in one move and read with suspicion.

Files are hostile: sizes, shapes, names and checksums are looked at before anything of a size that
the file chose is allocated. This room knows plain data and NumPy arrays only. The formats of Keras,
`keras_archive` and `hdf5`, are imported where they are used: h5py takes its time to import.
"""

from everystep.formats.atomic import write_atomically
from everystep.formats.container import FORMAT_VERSION, Contents, read_tensors, write_tensors
from everystep.formats.plain_json import parse_json, write_json
from everystep.formats.suffixes import (
    KERAS_MODEL,
    KERAS_WEIGHTS,
    MODEL_SUFFIXES,
    OWN_MODEL,
    OWN_WEIGHTS,
    WEIGHTS_SUFFIXES,
    place_to_write,
    suffix_of,
)

__all__ = [
    "FORMAT_VERSION",
    "KERAS_MODEL",
    "KERAS_WEIGHTS",
    "MODEL_SUFFIXES",
    "OWN_MODEL",
    "OWN_WEIGHTS",
    "WEIGHTS_SUFFIXES",
    "Contents",
    "parse_json",
    "place_to_write",
    "read_tensors",
    "suffix_of",
    "write_atomically",
    "write_json",
    "write_tensors",
]
