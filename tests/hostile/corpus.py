"""The cases: every kind's files as they are, then changed ones, the same for the same seed."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np

from hmnet.body import load_body

from . import seeds_clip, seeds_mesh, seeds_message, seeds_photo, seeds_weights
from .mutate_bytes import ANY_FORMAT, Mutator
from .mutate_clip import mutate_clip
from .mutate_json import mutate_json
from .mutate_mesh import mutate_glb, mutate_lines, mutate_safetensors, mutate_text
from .mutate_photo import mutate_photo
from .worker import Case

Seeds = Callable[[], dict[str, bytes]]
MOST_CHANGED = 2**18
"""Bytes; larger files are only given as they are."""
SLOW = {
    "119 megapixels",
    "118 megapixels of 16 bit",
    "118 megapixels, interlaced",
    "gif of 118 megapixels",
    "gif of 35-megapixel frames",
    "gif of 35-megapixel frames, 50 a second",
    "1,000,000 vertices",
    "10,000,000 empty faces",
    "200,000 meshes",
}
"""Files that take up to some seconds: where only some of a kind are given, these are not among them."""
OWN_FORMAT = 0.6
"""Share of changes that know the format."""


@dataclass(frozen=True)
class Kind:
    """share: of all cases. seeds: makes the files by name. own: changes that keep the format's frame."""

    share: float
    seeds: Seeds
    own: Sequence[Mutator]
    blind: Sequence[Mutator] = ANY_FORMAT


def _photos() -> dict[str, bytes]:
    return {**seeds_photo.valid_photos(), **seeds_photo.hostile_photos()}


def _clips() -> dict[str, bytes]:
    return {**seeds_clip.valid_clips(), **seeds_clip.hostile_clips()}


def _regularise() -> dict[str, bytes]:
    return seeds_message.regularise(load_body().vertices.double().numpy().round(4).tolist())


def _pickles() -> dict[str, bytes]:
    arrays = {
        "v": np.arange(12.0).reshape(4, 3),
        "f": np.arange(6).reshape(2, 3),
        "name": "body",
        "n": [1, (2.5, None)],
    }
    traps = {name: data for name, data in seeds_weights.weights().items() if "pickle" in name}
    return {**{f"protocol {number}": pickle.dumps(arrays, number) for number in range(6)}, **traps}


JSON = (mutate_json,)
KINDS = {
    "photo": Kind(0.40, _photos, (mutate_photo,)),
    "obj": Kind(0.07, seeds_mesh.objs, (mutate_text, mutate_lines)),
    "ply": Kind(0.08, seeds_mesh.plys, (mutate_text, mutate_lines)),
    "glb": Kind(0.10, seeds_mesh.glbs, (mutate_glb,)),
    "clip": Kind(0.12, _clips, (mutate_clip,)),
    # What is no JSON the web server refuses itself: these stay JSON.
    "camera message": Kind(0.03, seeds_message.live, JSON, JSON),
    "regularise": Kind(0.02, _regularise, JSON, JSON),
    "box": Kind(0.02, seeds_message.boxes, JSON, JSON),
    "point": Kind(0.01, seeds_message.points, JSON, JSON),
    "link": Kind(0.02, seeds_message.links, JSON, JSON),
    "saving": Kind(0.02, seeds_message.savings, JSON, JSON),
    "config.json": Kind(0.02, seeds_weights.configs, JSON),
    "weights": Kind(0.03, seeds_weights.weights, (mutate_safetensors,)),
    "pickle": Kind(0.02, _pickles, ANY_FORMAT),
    "file name": Kind(0.04, seeds_message.names, JSON, JSON),
}


def cases(count: int, seed: int) -> Iterator[Case]:
    """So many cases of all kinds, those of one kind together."""
    for kind, told in KINDS.items():
        yield from _of(kind, round(count * told.share), Random(f"{seed} {kind}"))


def _of(kind: str, count: int, rng: Random) -> Iterator[Case]:
    """Cases of one kind: at most half of them unchanged."""
    seeds = _seeds(kind)
    names = list(seeds)
    if 2 * len(names) > count:
        names = rng.sample([name for name in names if name not in SLOW], max(1, count // 2))
    for name in names:
        yield Case(kind, name, seeds[name])
    small = {name: data for name, data in seeds.items() if len(data) <= MOST_CHANGED}
    for number in range(count - len(names)):
        name = rng.choice(list(small))
        yield Case(
            kind, f"{name}, changed ({number})", changed(KINDS[kind], small[name], rng, list(small.values()))
        )


@cache
def _seeds(kind: str) -> dict[str, bytes]:
    """The files of a kind; some take a second to make."""
    return KINDS[kind].seeds()


def changed(kind: Kind, data: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A file after one to three changes, more often one."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutators = kind.own if rng.random() < OWN_FORMAT else kind.blind
        data = rng.choice(mutators)(data, rng, others)
    return data
