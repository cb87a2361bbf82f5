"""What a body is: a template mesh, its joints and its parts.

One frame holds for everything in this package: x right, y down, z away from the viewer, metres, and a
body at rest faces the viewer, so the person's left is at +x. Only `hmnet.render` and mesh export
convert to another convention.
"""

from hmnet.body.parts import MIRRORED_PART, PART_COLOURS, PART_COUNT, PART_INDEX, PART_NAMES
from hmnet.body.template import BodyTemplate, load_body

__all__ = [
    "MIRRORED_PART",
    "PART_COLOURS",
    "PART_COUNT",
    "PART_INDEX",
    "PART_NAMES",
    "BodyTemplate",
    "load_body",
]
