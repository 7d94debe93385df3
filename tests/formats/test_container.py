import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from everystep.errors import FormatError
from everystep.formats import FORMAT_VERSION, Contents, read_tensors, write_tensors
from everystep.formats.header import DTYPES

Array = np.ndarray[Any, Any]

TENSORS: dict[str, Array] = {
    "dense/kernel": np.arange(6, dtype="float32").reshape(2, 3) / 7,
    "dense/bias": np.array([1, -2, 3], ml_dtypes.bfloat16),
    "count": np.array(5, "int64"),
    "none": np.zeros((0, 4), "float16"),
    "mask": np.array([True, False, True]),
}
METADATA = {"config": '{"name": "é"}'}


def assert_same(found: Contents, tensors: dict[str, Array], metadata: dict[str, str]) -> None:
    assert found.metadata == metadata
    assert found.tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found.tensors[name].dtype == array.dtype
        assert found.tensors[name].shape == array.shape
        assert found.tensors[name].tobytes() == array.tobytes()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "a.safetensors"
    write_tensors(path, TENSORS, METADATA)
    return path


def split(path: Path) -> tuple[dict[str, Any], bytes]:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def join(path: Path, header: Any, data: bytes) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_what_was_written_is_read(written: Path) -> None:
    assert_same(read_tensors(written), TENSORS, METADATA)


def test_same_contents_give_the_same_bytes(written: Path) -> None:
    first = written.read_bytes()
    write_tensors(written, dict(reversed(TENSORS.items())), METADATA)
    assert written.read_bytes() == first


@settings(max_examples=60, deadline=None)
@given(
    tensors=st.dictionaries(
        st.text("abc_/0é", min_size=1).filter(lambda name: all(name.split("/"))),
        arrays.arrays(
            st.sampled_from([dtype for code, dtype in DTYPES.items() if code != "BF16"]),
            arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
        ),
        max_size=4,
    ),
    metadata=st.dictionaries(st.sampled_from(["config", "note"]), st.text()),
)
def test_any_arrays_come_back(
    tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, Array], metadata: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.safetensors"
    write_tensors(path, tensors, metadata)
    assert_same(read_tensors(path), tensors, metadata)


def test_arrays_in_any_memory_order_are_written(tmp_path: Path) -> None:
    whole = np.arange(24, dtype="float32").reshape(4, 6)
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": whole.T, "b": whole[::2, ::3], "c": whole.astype(">f4")}, {})
    found = read_tensors(path).tensors
    np.testing.assert_array_equal(found["a"], whole.T)
    np.testing.assert_array_equal(found["b"], whole[::2, ::3])
    np.testing.assert_array_equal(found["c"], whole)


def test_another_reader_understands_the_file(written: Path) -> None:
    from safetensors import safe_open

    with safe_open(written, "np") as file:
        assert set(file.keys()) == TENSORS.keys()
        assert file.metadata()["config"] == METADATA["config"]
        for name in ("dense/kernel", "count", "mask", "none"):
            np.testing.assert_array_equal(file.get_tensor(name), TENSORS[name])
            assert file.get_tensor(name).dtype == TENSORS[name].dtype


def test_every_array_is_aligned(written: Path) -> None:
    raw = written.read_bytes()
    header, data = split(written)
    del header["__metadata__"]
    for entry in header.values():
        place = len(raw) - len(data) + entry["data_offsets"][0]
        assert place % DTYPES[entry["dtype"]].itemsize == 0


# What a file may do to its reader: each case must be refused with the file and the field named.


def test_cut_off_at_every_byte(written: Path) -> None:
    whole = written.read_bytes()
    for length in range(len(whole)):
        written.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"a\.safetensors"):
            read_tensors(written)


def test_one_flipped_bit_is_never_taken_for_the_truth(written: Path) -> None:
    whole = written.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    refused = 0
    for place in range(len(whole)):
        bit = 1 << (place % 8)
        written.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        try:
            assert_same(read_tensors(written), TENSORS, METADATA)
        except FormatError:
            refused += 1
        else:
            # Spaces after the header are the only bytes that say nothing.
            assert whole[place : place + 1] == b" "
            assert place < 8 + length
    assert refused >= len(whole) - 8


def test_a_flipped_bit_in_the_weights_is_refused_by_the_checksum(written: Path) -> None:
    whole = bytearray(written.read_bytes())
    whole[-20] ^= 1
    written.write_bytes(whole)
    with pytest.raises(FormatError, match=r"a\.safetensors: sha256"):
        read_tensors(written)


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**9, 2000, 8 * 2**20 + 1])
def test_a_header_length_beyond_the_file(written: Path, length: int) -> None:
    raw = written.read_bytes()
    written.write_bytes(length.to_bytes(8, "little") + raw[8:])
    with pytest.raises(FormatError, match="header"):
        read_tensors(written)


def test_a_header_over_the_cap(written: Path) -> None:
    with written.open("wb") as file:
        file.write((9 * 2**20).to_bytes(8, "little"))
        file.truncate(10 * 2**20)
    with pytest.raises(FormatError, match="longer than"):
        read_tensors(written)


def entry(header: dict[str, Any], **fields: Any) -> dict[str, Any]:
    header["dense/kernel"] |= fields
    return header


def renamed(header: dict[str, Any], name: str) -> dict[str, Any]:
    header[name] = header.pop("dense/kernel")
    return header


def noted(header: dict[str, Any], **texts: Any) -> dict[str, Any]:
    header["__metadata__"] |= texts
    return header


def without(header: dict[str, Any], field: str) -> dict[str, Any]:
    del header["dense/kernel"][field]
    return header


ATTACKS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "overlap": (lambda h: entry(h, data_offsets=[4, 28]), "overlaps"),
    "hole": (lambda h: h | {"count": h["count"] | {"data_offsets": [1, 9]}}, "hole"),
    "end before beginning": (lambda h: entry(h, data_offsets=[32, 8]), "data_offsets"),
    "negative offset": (lambda h: entry(h, data_offsets=[-16, 8]), "data_offsets"),
    "offset beyond": (lambda h: entry(h, data_offsets=[8, 2**63]), "data_offsets"),
    "one offset": (lambda h: entry(h, data_offsets=[8]), "data_offsets"),
    "offset of truth": (lambda h: entry(h, data_offsets=[True, 25]), "data_offsets"),
    "shape of other size": (lambda h: entry(h, shape=[2, 4]), "shape"),
    "negative shape": (lambda h: entry(h, shape=[-2, -3]), "shape"),
    "fractional shape": (lambda h: entry(h, shape=[2.0, 3]), "shape"),
    "overflowing shape": (lambda h: entry(h, shape=[2**32, 2**32, 6]), "shape"),
    "overflow beside zero": (
        lambda h: h | {"none": h["none"] | {"shape": [0, 2**32, 2**32]}},
        "shape",
    ),
    "many axes": (lambda h: entry(h, shape=[1] * 60 + [6]), "shape"),
    "shape is a word": (lambda h: entry(h, shape="23"), "shape"),
    "unknown dtype": (lambda h: entry(h, dtype="F12"), "dtype"),
    "object dtype": (lambda h: entry(h, dtype="O"), "dtype"),
    "dtype is a list": (lambda h: entry(h, dtype=["F32"]), "dtype"),
    "missing field": (lambda h: without(h, "shape"), "dense/kernel"),
    "extra field": (lambda h: entry(h, file="/etc/passwd"), "dense/kernel"),
    "entry is a list": (lambda h: h | {"dense/kernel": []}, "dense/kernel"),
    "entry is missing": (lambda h: {k: v for k, v in h.items() if k != "mask"}, "no array"),
    "header is a list": (lambda h: [h], "header"),
    "metadata is a list": (lambda h: h | {"__metadata__": []}, "__metadata__"),
    "metadata of numbers": (lambda h: noted(h, config=5), "__metadata__"),
    "renamed": (lambda h: renamed(h, "dense/kernels"), "sha256"),
    "no checksum": (lambda h: (h["__metadata__"].pop("sha256"), h)[1], "sha256"),
    "changed config": (lambda h: noted(h, config="{}"), "sha256"),
    "newer version": (lambda h: noted(h, everystep_format=str(FORMAT_VERSION + 1)), "newer"),
    "no version": (lambda h: (h["__metadata__"].pop("everystep_format"), h)[1], "everystep_format"),
    "version is a word": (lambda h: noted(h, everystep_format="one"), "everystep_format"),
    "version is huge": (lambda h: noted(h, everystep_format="9" * 5000), "everystep_format"),
}
ODD_NAMES = ["", "..", "../a", "a/../b", "/etc/passwd", "C:a", "a\\b", "a\0", "a//b", "a\ud800"]


@pytest.mark.parametrize("case", ATTACKS)
def test_a_hostile_header_is_refused(written: Path, case: str) -> None:
    attack, field = ATTACKS[case]
    header, data = split(written)
    join(written, attack(header), data)
    with pytest.raises(FormatError) as caught:
        read_tensors(written)
    assert "a.safetensors" in str(caught.value)
    assert field in str(caught.value)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_like_a_path_is_refused(written: Path, name: str) -> None:
    header, data = split(written)
    join(written, renamed(header, name), data)
    with pytest.raises(FormatError, match=r"a\.safetensors: an array has the name"):
        read_tensors(written)


def test_the_attacks_start_from_a_file_that_is_read(written: Path) -> None:
    header, data = split(written)
    join(written, header, data)
    assert_same(read_tensors(written), TENSORS, METADATA)


def test_trailing_bytes(written: Path) -> None:
    written.write_bytes(written.read_bytes() + b"\0")
    with pytest.raises(FormatError, match="no array"):
        read_tensors(written)


HEADERS: dict[str, tuple[bytes, str]] = {
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, "deep"),
    "deep tables": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deep"),
    "a little too deep": (b'{"a":' + b"[" * 101 + b"]" * 101 + b"}", "deep"),
    "huge integer": (b'{"a":' + b"9" * 100_000 + b"}", "digits"),
    "large integer": (b'{"a":123456789012345678901}', "digits"),
    "duplicate key": (b'{"a":{},"a":{}}', "'a' twice"),
    "duplicate key inside": (b'{"a":{"dtype":"F32","dtype":"F64"}}', "'dtype' twice"),
    "not UTF-8": (b'{"\xff\xfe":{}}', "UTF-8"),
    "cut UTF-8": (b'{"a\xc3', "UTF-8"),
    "NaN": (b'{"a":NaN}', "NaN"),
    "not JSON": (b"import os", "JSON"),
    "empty": (b"", "JSON"),
    "nothing": (b"null", "header"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_hostile_json_is_refused(tmp_path: Path, case: str) -> None:
    text, word = HEADERS[case]
    path = tmp_path / "a.safetensors"
    join(path, text, b"")
    with pytest.raises(FormatError) as caught:
        read_tensors(path)
    assert "a.safetensors: header" in str(caught.value)
    assert word in str(caught.value)


def test_many_duplicate_keys_are_refused_quickly(tmp_path: Path) -> None:
    keys = ",".join(f'"k{number}":1' for number in range(100_000))
    path = tmp_path / "a.safetensors"
    join(path, f'{{{keys},"k99999":2}}'.encode(), b"")
    with pytest.raises(FormatError, match="'k99999' twice"):
        read_tensors(path)


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"short",
        b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        b"PK\x03\x04" + b"\0" * 40,
        b"\x89HDF\r\n\x1a\n" + b"\0" * 40,
        b"\0" * 64,
    ],
)
def test_files_of_other_kinds_are_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(contents)
    with pytest.raises(FormatError, match=r"a\.safetensors"):
        read_tensors(path)


def test_plain_safetensors_are_refused_with_the_reason(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "a.safetensors"
    save_file({"a": np.zeros(3, "float32")}, path)
    with pytest.raises(FormatError, match="everystep did not write it"):
        read_tensors(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    import os

    path = tmp_path / "a.safetensors"
    os.mkfifo(path)
    with pytest.raises(FormatError, match="regular file"):
        read_tensors(path)
    with pytest.raises(FormatError, match="regular file"):
        read_tensors(tmp_path)


def test_a_missing_file_is_the_usual_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "a.safetensors")


def test_truth_values_of_other_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"mask": np.array([0, 2], "uint8").view(bool)}, {})
    with pytest.raises(FormatError, match="truth"):
        read_tensors(path)


def test_hostile_sizes_allocate_nothing(written: Path) -> None:
    """A header that promises much more than the file has is refused before any array is made."""
    import tracemalloc

    header, data = split(written)
    join(written, entry(header, shape=[2**20, 2**20], data_offsets=[8, 8 + 2**42]), data)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            read_tensors(written)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("tensors", "word"),
    [
        ({"../a": np.zeros(1)}, "name"),
        ({"__metadata__": np.zeros(1)}, "name"),
        ({"a": np.array(["word"])}, "dtype"),
        ({"a": np.array([object()])}, "dtype"),
        ({"a": np.zeros(2, "complex64")}, "dtype"),
    ],
)
def test_what_could_not_be_read_is_not_written(
    tmp_path: Path, tensors: dict[str, Array], word: str
) -> None:
    with pytest.raises(FormatError, match=word):
        write_tensors(tmp_path / "a.safetensors", tensors, {})
    assert list(tmp_path.iterdir()) == []


def test_metadata_too_long_to_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="header"):
        write_tensors(tmp_path / "a.safetensors", {}, {"config": "x" * (8 * 2**20)})
