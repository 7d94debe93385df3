"""Files that fuzzing has found: the format, what went wrong, and the file in base64."""

FINDINGS: list[tuple[str, str, str]] = [
    ("npy", "zipfile.BadZipFile came out of an array that begins as an archive", "UEsDBP8="),
]
