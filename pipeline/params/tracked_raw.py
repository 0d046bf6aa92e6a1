"""Raw files of private studies that git has nevertheless: whoever clones the project has them."""

import subprocess
from collections.abc import Iterable
from pathlib import Path


def tracked_raw_files(root: Path, studies: Iterable[str]) -> list[str]:
    """Return raw files of studies that git tracks although no line of .gitignore makes them public.

    Empty where there is no git, or no repository.
    """
    folders = [f"data/raw/{study}" for study in studies]
    command = ["git", "-c", "core.quotePath=false", "ls-files", "--cached", "--ignored"]
    try:
        listed = subprocess.run(
            [*command, "--exclude-standard", "--", *folders],
            cwd=root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except FileNotFoundError:
        return []
    return listed.stdout.splitlines() if folders else []


def what_to_do(files: list[str]) -> list[str]:
    """Say of each such file what it takes to keep it private, or to declare it public."""
    return [
        f"{file} is in git, and .gitignore does not declare it public: `git rm --cached {file}` "
        f"takes it out of what comes (earlier commits keep it), a line !/{file} declares it public"
        for file in files
    ]
