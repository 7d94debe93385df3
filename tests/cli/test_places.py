"""Places for files and folders, tried before the work."""

import os
from pathlib import Path

import pytest

from everystep.cli.places import check_file, check_folder
from everystep.errors import SettingError


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    there = tmp_path / "there.svg"
    there.write_text("kept")
    check_file("--svg", there, ".svg")
    check_file("--svg", tmp_path / "new.svg", ".svg")
    check_file("--svg", Path("/dev/null"))
    check_folder("--out", tmp_path / "made" / "too")
    assert there.read_text() == "kept"
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert found == ["made", "made/too", "there.svg"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.png", r"--svg .*a\.png: expected a name that ends with \.svg"),
        ("folder.svg", r"--svg .*folder\.svg: is a folder: name a file"),
        ("no/a.svg", r"--svg .*a\.svg: there is no folder .*no$"),
        (f"{'a' * 300}.svg", r"cannot be written: File name too long\. Name another"),
    ],
)
def test_no_place_for_a_file(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(SettingError, match=message):
        check_file("--svg", tmp_path / name, ".svg")


def test_no_place_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match=r"--out .*: cannot be written: Not a directory"):
        check_folder("--out", tmp_path / "file" / "inside")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_what_may_not_be_written(tmp_path: Path) -> None:
    there = tmp_path / "there.svg"
    there.touch(mode=0o400)
    with pytest.raises(SettingError, match="is there and cannot be replaced"):
        check_file("--svg", there)
    tmp_path.chmod(0o500)
    with pytest.raises(SettingError, match="Permission denied"):
        check_file("--svg", tmp_path / "new.svg")
