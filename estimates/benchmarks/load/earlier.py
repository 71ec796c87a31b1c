"""An earlier version of the product for a trial: its files by a tag, and a Python that has what it needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import venv
from io import BytesIO
from pathlib import Path
from typing import Final

from config.embedded import BASE_DIR
from estimates.benchmarks.load.installation import Code

PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class MissingVersion(Exception):  # noqa: N818
    """The version cannot be had here; the message says what is missing."""


def files_of(tag: str, directory: Path) -> Path:
    """The files of a tag, unpacked below the directory. Raises MissingVersion."""
    asked = _git("rev-parse", "--verify", "--quiet", f"{tag}^{{commit}}")
    if asked.returncode:
        inside = _git("rev-parse", "--git-dir").returncode == 0
        missing = (
            f"this clone has no tag {tag}; `git fetch --tags --unshallow` (or without --unshallow) gets it"
        )
        raise MissingVersion(
            missing if inside else f"{BASE_DIR} is no git clone: {tag} cannot be checked out"
        )
    packed = _git("archive", "--format=tar", tag)
    if packed.returncode:
        said = packed.stderr.decode(errors="replace").strip()
        raise MissingVersion(f"the files of {tag} are not in this clone: {said}")
    root = directory / "earlier"
    root.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as files:
        files.extractall(root, filter="data")
    return root


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], cwd=BASE_DIR, capture_output=True, check=False)
    except FileNotFoundError:
        raise MissingVersion("git is not installed") from None


def earlier_code(tag: str, directory: Path) -> tuple[Code, str]:
    """The code of a tag with a Python for it, and which that is.

    The Python of this clone, where it has every package of that version at the version it pins; else a
    virtual environment of its own, made from the tag's locked requirements.
    """
    root = files_of(tag, directory)
    wanted = pins(root / "requirements.txt")
    have = pins(BASE_DIR / "requirements.txt")
    other = sorted(name for name, version in wanted.items() if have.get(name) != version)
    if not other:
        return Code(root, name=tag), "this clone's, which has every package at the version pinned then"
    own = directory / "venv"
    python = own / "bin" / "python"
    if not python.exists():
        venv.create(own, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(root / "requirements.txt")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingVersion(f"the requirements of {tag} cannot be installed: {done.stderr[-300:]}")
    return Code(root, str(python), tag), f"an environment of its own ({', '.join(other[:5])} differ)"


def pins(path: Path) -> dict[str, str]:
    """Package -> version of a locked file of requirements."""
    return {name.lower(): version for name, version in PIN.findall(path.read_text())}


def this_code() -> Code:
    return Code(BASE_DIR, sys.executable)
