"""Every reader under test by kind of case, called as the page or the command line calls it."""

import os

# Before Gradio is imported, which imports the Hub's client: no outside host is asked.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from . import read_files, read_messages, read_names, read_weights

READERS = {
    "photo": read_files.photo,
    "obj": read_files.obj,
    "ply": read_files.ply,
    "glb": read_files.glb,
    "clip": read_files.clip,
    "camera message": read_messages.camera,
    "regularise": read_messages.regularise,
    "box": read_messages.box,
    "point": read_messages.point,
    "link": read_messages.link_query,
    "saving": read_messages.save,
    "config.json": read_weights.config,
    "weights": read_weights.weights,
    "pickle": read_weights.pickled,
    "file name": read_names.name,
}
