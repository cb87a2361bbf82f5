"""The mirror image of a mesh, found from its triangles alone: no coordinates, so that any shape will do."""

from collections import Counter

import numpy as np

from hmnet.errors import BodyError


def mirror_of(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """(V,) int64, each vertex's mirror image, in a closed and connected mesh of faces (F, 3).

    It is the map that takes every triangle to a triangle which runs the other way round. Where one edge goes
    settles where all others go; so one edge, in the rarest surroundings, is tried against all alike. SMPL's
    topology has exactly one such map, with 134 vertices on the midline. Raises BodyError when there is none,
    or none that undoes itself.
    """
    third = {}
    for a, b, c in faces.tolist():
        third[a, b], third[b, c], third[c, a] = c, a, b
    ring: list[list[int]] = [[] for _ in range(vertex_count)]
    for a, b in third:
        ring[a].append(b)
    look = [(len(near), tuple(sorted(len(ring[b]) for b in near))) for near in ring]
    counts = Counter(look)
    start = min(range(vertex_count), key=lambda a: counts[look[a]])
    for other in (a for a in range(vertex_count) if look[a] == look[start]):
        for neighbour in ring[other]:
            images = _grown((start, ring[start][0]), (other, neighbour), third, look)
            mirror = np.array([images.get(a, -1) for a in range(vertex_count)])
            if len(images) == vertex_count and (mirror[mirror] == np.arange(vertex_count)).all():
                return mirror
    raise BodyError(
        f"The mesh of {vertex_count} vertices and {len(faces)} faces has no mirror image in itself: "
        "expected a body's closed surface with equal left and right sides."
    )


def _grown(edge: tuple[int, int], image: tuple[int, int], third: dict, look: list) -> dict[int, int]:
    """Images of all vertices if that edge has that image; {} where the mesh contradicts it."""
    images = dict(zip(edge, image, strict=True))
    waiting, seen = [edge, edge[::-1]], set()
    while waiting:
        a, b = waiting.pop()
        if (a, b) in seen:
            continue
        seen.add((a, b))
        # The triangle on one side of an edge becomes the one on the other side of its image.
        c, image = third.get((a, b)), third.get((images[b], images[a]))
        if c is None or image is None or look[c] != look[image] or images.setdefault(c, image) != image:
            return {}
        waiting += [(c, b), (a, c)]
    return images
