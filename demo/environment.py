"""What must be settled before Gradio is imported: no outside host is called, and visitors' files get a folder
that only this user may read. Settings that are there already stay.
"""

import os
import stat
import tempfile
from pathlib import Path

ANALYTICS, FOLDER = "GRADIO_ANALYTICS_ENABLED", "GRADIO_TEMP_DIR"


def _own_folder() -> str:
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"humanmeshnet-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Where everybody may write, somebody else may have been first.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        return tempfile.mkdtemp(prefix="humanmeshnet-")
    return str(folder)


os.environ.setdefault(ANALYTICS, "False")
if FOLDER not in os.environ:
    os.environ[FOLDER] = _own_folder()
