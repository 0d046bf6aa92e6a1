"""Run `dvc repro` with this interpreter."""

import os
import subprocess
import sys
from pathlib import Path


def reproduce(root: Path, *arguments: str) -> str | None:
    """Run it in a folder, with that folder's code; return the last lines said where it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--quiet", *arguments],
        cwd=root,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(root.absolute())},
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stdout + done.stderr).strip().splitlines()[-10:]
    return "\n".join(last) if done.returncode else None
