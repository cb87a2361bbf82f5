"""Where what visitors send is kept while it is needed. Without Gradio, which must not be imported before."""

import os
import tempfile
from pathlib import Path

VARIABLE = "GRADIO_TEMP_DIR"


def use_own_folder() -> None:
    """Gives Gradio a folder that only this user may read; one that is named already is left as it is."""
    if VARIABLE in os.environ:
        return
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"humanmeshnet-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
