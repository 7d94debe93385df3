"""Where the commands keep compiled programs, so that a second run starts at once."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import typer

WORTH_KEEPING = 0.1
"""Seconds of compilation from which on a program is kept."""


def keep_compiled() -> Path | None:
    """Let JAX keep what it compiles in the user's folder for caches, and return where.

    The folder is `everystep` in `$XDG_CACHE_HOME`, or in `~/.cache`, with one folder inside for
    each kind of processor, since programs are made for one. Where JAX has been told a folder or not
    to keep anything, that stands. Where there is no such folder, or it is open to others, who could
    put programs of theirs into it, everything is compiled anew, and standard error says why.
    """
    import jax

    config: Any = jax.config
    if config.jax_compilation_cache_dir or not config.jax_enable_compilation_cache:
        return None
    try:
        folder = _folder()
    except (OSError, RuntimeError) as error:
        typer.echo(f"everystep: compiled programs are not kept: {error}", err=True)
        return None
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)
    return folder


def _folder() -> Path:
    """Return the folder, made if it is not there.

    Raises:
        OSError: it cannot be made or written to, or others can write to it.
        RuntimeError: the user has no home.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # What is not absolute does not count, by the rules for this variable.
    base = given if given.is_absolute() else Path.home() / ".cache"
    folder = base / "everystep" / _processor()
    for each in (folder.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_others(each)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def _refuse_others(folder: Path) -> None:
    """Raise an OSError where others own a folder or can write to it."""
    if not hasattr(os, "getuid"):
        return
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(
            f"others own {folder} or can write to it: take that from them (chmod 700), or set "
            "XDG_CACHE_HOME to a folder of your own"
        )


def _processor() -> str:
    """Return a name for the instructions that programs for this machine may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    known = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    said = "\n".join(sorted(set(known))) or platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
