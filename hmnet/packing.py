"""From training states to a checkpoint: averaged weights with where they come from."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from hmnet.checkpoint import CONFIG, EMBEDDED, save_checkpoint, save_difference
from hmnet.config import preprocessing_of
from hmnet.data.shards import read_recipe, shard_paths
from hmnet.errors import DataError
from hmnet.model import build_hmnet
from hmnet.model_card import write_model_card
from hmnet.segmentation import build_segmenter, segmenter_config
from hmnet.stage_pose import model_config
from hmnet.trainer import load_state
from hmnet.variants import BASE, HAND


def pack(options: argparse.Namespace) -> None:
    """Averaged weights of both networks, with where they come from, as a checkpoint folder.

    Of a variant other than BASE only HMNet's weights, as what differs from the embedded ones of that body.
    """
    if options.variant != BASE:
        _pack_difference(options)
        return
    if options.segmenter is None or options.initial is None:
        raise DataError("Stage pack needs --segmenter STATE and --initial STATE (of stage joint).")
    states = {"segmenter": load_state(options.segmenter), "hmnet": load_state(options.initial)}
    form = replace(segmenter_config(options.body), foreground_threshold=options.threshold)
    segmenter = build_segmenter(form, options.body)
    segmenter.load_state_dict(states["segmenter"]["averaged"])
    config = model_config(options)
    model = build_hmnet(config)
    model.load_state_dict(states["hmnet"]["averaged"])
    data = {name: _training_of(state) for name, state in states.items()} | _pictures(options)
    save_checkpoint(
        options.output, model, segmenter, preprocessing_of(options.body),
        {"revision": options.revision, "commit": options.revision, "data": data}, model_config=config,
        eight_bits=options.eight_bits,
    )  # fmt: skip
    write_model_card(options.output)


def _pack_difference(options: argparse.Namespace) -> None:
    """A variant's averaged weights as what differs from the embedded HMNet of its body."""
    if options.initial is None:
        raise DataError(f"Packing {options.variant} needs --initial STATE (of stage joint).")
    config, state = model_config(options), load_state(options.initial)
    base = HAND if options.body == "hand" else BASE
    model = build_hmnet(config)
    model.load_state_dict(state["averaged"])
    own = {"images": state["images"], "steps": state["step"], "minutes": round(state["spent"] / 60, 1)}
    data = {"hmnet": _training_of(state), "variant": own} | _pictures(options)
    extra = {"revision": options.revision, "commit": options.revision, "data": data, "metrics": {}}
    save_difference(options.output, model, extra, model_config=config, base=EMBEDDED / base)
    write_model_card(options.output)


def _pictures(options: argparse.Namespace) -> dict:
    """The recipes of the pictures, and their sources, as far as they were given."""
    said = {}
    if options.data is not None:
        recipes = [recipe_without_paths(folder) for folder in options.data]
        said["pictures"] = recipes[0] if len(recipes) == 1 else recipes
    if options.source:
        said["sources"] = options.source
    return said


def _training_of(state: dict) -> dict:
    """Images, steps and minutes of a state and of what it started from, where that is still there."""
    total = {"images": state["images"], "steps": state["step"], "minutes": round(state["spent"] / 60, 1)}
    initial = Path(state.get("options", {}).get("initial", "None"))
    for name, value in _before(initial).items():
        total[name] = round(total[name] + value, 1)
    return total


def _before(initial: Path) -> dict:
    """What went into the weights that a training started from: a state's own, or their checkpoint's."""
    if not initial.is_file():
        return {}
    if initial.suffix != ".safetensors":
        return _training_of(load_state(initial))
    config = initial.with_name(CONFIG)
    data = json.loads(config.read_text())["data"] if config.is_file() else {}
    return data.get(initial.stem, {})


def recipe_without_paths(shards: Path) -> dict:
    """The recipe of the shards; of folders the names alone, since paths say nothing elsewhere."""
    recipe = read_recipe(shards)
    for name in ("backgrounds", "clothes"):
        if recipe.get(name):
            recipe[name] = Path(recipe[name]).name
    recipe["poses"] = [Path(folder).name for folder in recipe.get("poses", [])]
    return recipe | {"shards": len(shard_paths(shards))}
