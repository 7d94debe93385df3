"""Files: named arrays and text in one file, written in one move and read with suspicion.

Files are hostile: sizes, shapes, names and checksums are looked at before anything of a size that
the file chose is allocated. This room knows plain data and NumPy arrays only.
"""

from everystep.formats.atomic import write_atomically
from everystep.formats.container import FORMAT_VERSION, Contents, read_tensors, write_tensors
from everystep.formats.plain_json import parse_json, write_json
from everystep.formats.suffixes import MODEL_SUFFIX, WEIGHTS_SUFFIX, check_suffix

__all__ = [
    "FORMAT_VERSION",
    "MODEL_SUFFIX",
    "WEIGHTS_SUFFIX",
    "Contents",
    "check_suffix",
    "parse_json",
    "read_tensors",
    "write_atomically",
    "write_json",
    "write_tensors",
]
