"""The rooms import one way: what stands lower in the list may use what stands higher."""

import ast
from pathlib import Path

import everystep

ROOT = Path(everystep.__file__).parent

ROOMS = [
    ["errors"],
    ["kinds"],
    ["sequences", "formats"],
    ["kernels"],
    ["core"],
    ["activations", "initializers", "regularizers", "constraints", "random"],
    ["layers"],
    ["losses"],
    ["metrics", "optimizers"],
    ["callbacks"],
    ["training"],
    ["models"],
    ["config", "dtype_policies", "mixed_precision"],
    ["saving"],
    ["utils"],
    ["backend", "preprocessing"],
    ["drawing"],
    ["explanation"],
    ["corpora"],
    ["tagging"],
    ["cli"],
]
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
PLAIN_DATA_ONLY = {"drawing", "formats", "sequences", "kernels"}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("everystep.")}
    return found & LEVEL.keys()


def source_files() -> list[Path]:
    return [path for path in ROOT.rglob("*.py") if room_of(path) in LEVEL]


def test_every_room_has_a_place_in_the_order() -> None:
    rooms = {room_of(path) for path in ROOT.rglob("*.py")}
    assert rooms - {"__init__", "__main__"} <= LEVEL.keys()


def test_rooms_import_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {room}"
        for path in source_files()
        for room in imported_rooms(path)
        if room != room_of(path) and LEVEL[room] >= LEVEL[room_of(path)]
    ]
    assert wrong == []


def test_rooms_of_plain_data_know_nothing_of_layers() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {room}"
        for path in source_files()
        if room_of(path) in PLAIN_DATA_ONLY
        for room in imported_rooms(path)
        if LEVEL[room] > LEVEL["sequences"] and room != room_of(path)
    ]
    assert wrong == []


def test_no_file_and_no_function_has_a_long_tail() -> None:
    """A long file or function has a second idea hiding in it."""
    long_files = [
        str(path.relative_to(ROOT))
        for path in source_files()
        if len(path.read_text(encoding="utf-8").splitlines()) > 430
    ]
    assert long_files == []
