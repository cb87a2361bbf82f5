"""Training, stage by stage: `python -m hmnet train --stage segmenter|maps|crops|joint|pack`.

segmenter   part labels from rendered photographs, from ImageNet features
maps        the part encoder and the branches, from endless corrupted part maps without pictures
crops       person crops labelled by the trained segmenter
joint       the whole of HMNet, on those crops and on further fresh part maps
pack        the averaged weights of segmenter and joint as a checkpoint folder

Each stage but the last writes a resumable state and a log to its output folder.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from hmnet.body import load_body
from hmnet.config import ModelConfig, Preprocessing, SegmenterConfig
from hmnet.data.augment import flip, segmenter_window
from hmnet.data.corruption import corrupt
from hmnet.data.crop import normalise
from hmnet.data.crops import make_crops, open_crops
from hmnet.data.shards import StoredSample, read_shards, shard_paths
from hmnet.errors import DataError
from hmnet.losses import total_loss
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import (
    joint_error,
    pa_joint_error,
    pa_surface_error,
    part_confusion,
    part_iou,
    surface_error,
)
from hmnet.model import HMNet, build_hmnet
from hmnet.packing import pack
from hmnet.segmentation import PartSegmenter, build_segmenter, load_imagenet_weights
from hmnet.trainer import Trainer, load_state

STAGES = ("segmenter", "maps", "crops", "joint", "pack")
FROZEN_STAGES = 3
"""Encoder stages of the segmenter that keep their ImageNet weights: low-level features of photos."""


AGREEMENT = 0.1
"""Weight of L_JS, see `PoseLoss`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m hmnet train`."""
    parser.add_argument("--stage", required=True, choices=STAGES, help="what to train (see above)")
    parser.add_argument("--data", type=Path, help="folder of shards (segmenter, crops, pack), crops (joint)")
    parser.add_argument("--output", type=Path, required=True, help="folder for states and logs")
    parser.add_argument("--segmenter", type=Path, help="state of a trained segmenter (crops, pack)")
    parser.add_argument("--start", type=Path, help="state to start from, as of stage maps (joint, pack)")
    parser.add_argument(
        "--poses", type=Path, nargs="*", default=[], help="folders of motion clips (maps, joint)"
    )
    parser.add_argument("--threshold", type=float, default=0.5, help="foreground threshold (pack)")
    parser.add_argument("--revision", default="unversioned", help="short commit of the code (pack)")
    parser.add_argument("--minutes", type=float, default=60, help="how long to train (default 60)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=224, help="side of the segmenter's windows, px")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="0/1", help="use every Nth shard from K on, as K/N (default 0/1)")
    parser.add_argument(
        "--pooling", type=int, default=4, help="average inputs over squares of this side (default 4)"
    )
    parser.add_argument("--encoding", default="code", help="how part maps enter: code, label or one-hot")
    parser.add_argument("--resume", action="store_true", help="go on from the state in --output")


def run(options: argparse.Namespace) -> None:
    """Run one stage."""
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    stages = {"segmenter": _segmenter, "maps": _maps, "crops": _crops, "joint": _joint, "pack": pack}
    stages[options.stage](options)


def _shards(options: argparse.Namespace) -> list[Path]:
    """The shards of --data that --part picks."""
    if options.data is None:
        raise DataError("--data is missing: give the folder that `python -m hmnet generate` wrote.")
    first, step = _part(options.part)
    return shard_paths(options.data)[first::step]


def _part(text: str) -> tuple[int, int]:
    """K and N of "K/N"; DataError for anything else."""
    try:
        first, step = (int(number) for number in text.split("/"))
    except ValueError:
        first, step = 0, 0
    if not 0 <= first < step:
        raise DataError(f"Expected --part as K/N with 0 <= K < N, got {text!r}.")
    return first, step


# --- segmenter ---------------------------------------------------------------------------------------


def _segmenter(options: argparse.Namespace) -> None:
    samples = list(read_shards(_shards(options)))
    segmenter = build_segmenter(SegmenterConfig())
    load_imagenet_weights(segmenter.encoder)
    groups = _segmenter_groups(segmenter, options.rate)
    if options.start:
        segmenter.load_state_dict(load_state(options.start)["averaged"])
    trainer = Trainer(segmenter, options, groups)
    held = samples[: min(256, len(samples) // 10)]
    generator = np.random.default_rng([options.seed, trainer.step])
    preprocessing = Preprocessing()
    weights = _class_weights(samples)

    def loss_of(images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        # Batch statistics of renderings would pull the ImageNet features away from photographs.
        segmenter.encoder.eval()
        logits = segmenter.coarse_logits(images)
        parts = nn.functional.cross_entropy(logits, labels, weights)
        return parts, {}

    def validate() -> dict[str, float]:
        fixed = np.random.default_rng(1)
        images, labels = _windows(held, range(len(held)), options.size, preprocessing, fixed)
        logits = torch.cat([segmenter.coarse_logits(chunk) for chunk in images.split(64)])
        mean_iou, person_iou = part_iou(part_confusion(logits.argmax(1), labels))
        return {"mean_iou": mean_iou, "foreground_iou": person_iou}

    trainer.fit(_window_batches(samples[len(held) :], options, preprocessing, generator), loss_of, validate)


def _segmenter_groups(segmenter: PartSegmenter, rate: float) -> list[dict]:
    """Frozen low stages, a lower rate for the other ImageNet stages, the full rate for the decoder."""
    encoder = segmenter.encoder
    for module in (encoder.stem, *encoder.stages[:FROZEN_STAGES]):
        module.requires_grad_(False)
    pretrained = [p for p in encoder.parameters() if p.requires_grad]
    known = {id(p) for p in encoder.parameters()}
    new = [p for p in segmenter.parameters() if id(p) not in known]
    return [{"params": pretrained, "lr": rate * 0.4}, {"params": new, "lr": rate}]


def _class_weights(samples: list[StoredSample]) -> Tensor:
    """Rare parts count more: the inverse square root of their share of pixels, at most 6 to 1."""
    counts = sum(np.bincount(s.part_map.ravel(), minlength=25) for s in samples[:400])
    weights = (counts / counts.sum() + 1e-6) ** -0.5
    return torch.tensor((weights / weights[0]).clip(1, 6) / 2, dtype=torch.float32)


def _windows(samples, picks, size, preprocessing, generator) -> tuple[Tensor, Tensor]:
    windows = [segmenter_window(samples[i], size, generator) for i in picks]
    labels = np.stack([labels[2::4, 2::4] for _, labels in windows]).astype(np.int64)
    return normalise(np.stack([image for image, _ in windows]), preprocessing), torch.from_numpy(labels)


def _window_batches(samples, options, preprocessing, generator) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        order = generator.permutation(len(samples))
        for start in range(0, len(order) - options.batch + 1, options.batch):
            picks = order[start : start + options.batch]
            yield _windows(samples, picks, options.size, preprocessing, generator)


# --- pose network ------------------------------------------------------------------------------------


class PoseLoss:
    """Eq. 5: the joint term is weighted by its running ratio to the surface term, to contribute as much.

    Differs from the paper: L_JS keeps a small fixed weight. Distances are not squared, so its gradient does
    not fade as the branches agree; weighted to contribute equally it held them within 1.5 mm of each other
    while neither learnt (247 mm surface error after 75,000 maps).
    """

    def __init__(self, network: HMNet):
        self.network = network
        topology = MeshTopology.from_faces(network.body.faces, len(network.body.vertices))
        self.neighbours = topology.neighbour_matrix
        self.means = {"surface": 0.3, "joint": 0.3}

    def __call__(self, joints, vertices, gt_joints, gt_vertices) -> tuple[Tensor, dict[str, Tensor]]:
        averaged = neighbour_average(vertices, self.neighbours)
        regressed = self.network.body.regress_joints(averaged)
        balance = self.means["surface"] / self.means["joint"]
        loss, terms = total_loss(averaged, joints, regressed, gt_vertices, gt_joints, balance, AGREEMENT)
        for name, mean in self.means.items():
            self.means[name] = 0.99 * mean + 0.01 * max(terms[name].item(), 1e-3)
        return loss, terms


def _start_branches(network: HMNet, vertices: np.ndarray, joints: np.ndarray) -> None:
    """Start the branches from the mean and the principal directions of training bodies."""
    for branch, points in ((network.surface_branch, vertices), (network.joint_branch, joints)):
        points = torch.from_numpy(np.asarray(points, np.float32))
        mean = points.mean(0)
        flat = (points - mean).flatten(1)
        _, scale, directions = torch.svd_lowrank(flat, min(128, flat.shape[1]), niter=3)
        directions = directions.T * (scale / len(flat) ** 0.5)[:, None]
        branch.start_from(mean, directions.unflatten(1, (-1, 3)))


def _maps(options: argparse.Namespace) -> None:
    from hmnet.data.synthetic.maps import map_batches
    from hmnet.data.synthetic.people import bodies
    from hmnet.data.synthetic.poses import PoseLibrary

    library = PoseLibrary.build(options.poses, 0).part(False)
    network = build_hmnet(ModelConfig(part_encoding=options.encoding, input_pooling=options.pooling))
    generator = np.random.default_rng(options.seed)
    posed = bodies(library.sample(generator, 4000)[0], generator, full=False)
    _start_branches(network, posed["template"], posed["joints"])
    preprocessing = Preprocessing()
    margin, size = preprocessing.crop_margin, preprocessing.image_size
    held = next(map_batches(library, np.random.default_rng(10**6), 256, size, margin))
    trained = nn.ModuleList([network.part_encoder, network.joint_branch, network.surface_branch])
    if options.start:
        trained.load_state_dict(load_state(options.start)["averaged"])
    trainer = Trainer(trained, options)
    loss = PoseLoss(network)
    generator = np.random.default_rng([options.seed, trainer.step])

    def loss_of(maps, vertices, joints) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.autocast("cpu", torch.bfloat16):
            features = network.part_encoder(torch.from_numpy(maps).long())
        features = features.float()
        output = network.decode(torch.zeros_like(features), features)
        return loss(output.joints, output.vertices, torch.from_numpy(joints), torch.from_numpy(vertices))

    def validate() -> dict[str, float]:
        features = network.part_encoder(torch.from_numpy(held[0]).long())
        output = network.decode(torch.zeros_like(features), features)
        return _pose_scores(network, loss, output, held[1], held[2])

    trainer.fit(map_batches(library, generator, options.batch, size, margin), loss_of, validate)


def _pose_scores(network, loss, output, vertices, joints) -> dict[str, float]:
    averaged = neighbour_average(output.vertices, loss.neighbours)
    regressed = network.body.regress_joints(averaged)
    vertices, joints = (torch.from_numpy(np.array(p, np.float32)) for p in (vertices, joints))
    return {
        "surface_mm": float(surface_error(averaged, vertices).mean()),
        "joint_mm": float(joint_error(regressed, joints).mean()),
        "pa_surface_mm": float(pa_surface_error(averaged, vertices).mean()),
        "pa_joint_mm": float(pa_joint_error(regressed, joints).mean()),
    }


def _crops(options: argparse.Namespace) -> None:
    if options.data is None or options.segmenter is None:
        raise DataError("Stage crops needs --data SHARDS and --segmenter STATE.")
    segmenter = build_segmenter(SegmenterConfig())
    segmenter.load_state_dict(load_state(options.segmenter)["averaged"])
    preprocessing = Preprocessing(segmenter_size=options.size)
    make_crops(_shards(options), options.output, segmenter, preprocessing, options.seed)


def _joint(options: argparse.Namespace) -> None:
    if options.data is None:
        raise DataError("--data is missing: give the folder of crops that stage crops wrote.")
    crops = open_crops(options.data)
    network = build_hmnet(ModelConfig(part_encoding=options.encoding, input_pooling=options.pooling))
    if options.start:
        _start_from(network, load_state(options.start)["averaged"])
    else:
        _start_branches(network, crops.vertices[:4000], crops.joints[:4000])
    trainer = Trainer(network, options)
    loss = PoseLoss(network)
    held = min(256, len(crops) // 10)
    preprocessing = Preprocessing()

    def loss_of(maps, vertices, joints, images) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.autocast("cpu", torch.bfloat16):
            part, seen = network.part_encoder(maps), network.rgb_encoder(images)
        # The first samples have their picture, from the others it is withheld: the map must do alone too.
        rgb = torch.zeros_like(part, dtype=torch.float32)
        rgb[: len(seen)] = seen.float()
        output = network.decode(rgb, part.float())
        return loss(output.joints, output.vertices, joints, vertices)

    def validate() -> dict[str, float]:
        images = normalise(crops.images[:held], preprocessing)
        maps = torch.from_numpy(crops.predicted_maps[:held].astype(np.int64))
        targets = crops.vertices[:held], crops.joints[:held]
        part = network.part_encoder(maps)
        blind = network.decode(torch.zeros_like(part), part)
        alone = _pose_scores(network, loss, blind, *targets)
        both = _pose_scores(network, loss, network.decode(network.rgb_encoder(images), part), *targets)
        return both | {f"map_alone_{name}": value for name, value in alone.items()}

    batches = _JointBatches(options, held, trainer.step)
    loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)
    trainer.fit(iter(loader), loss_of, validate)


def _start_from(network: HMNet, weights: dict[str, Tensor]) -> None:
    """Weights of stage joint, or of stage maps, which has no picture encoder."""
    if any(name.startswith("rgb_encoder") for name in weights):
        network.load_state_dict(weights)
        return
    parts = nn.ModuleList([network.part_encoder, network.joint_branch, network.surface_branch])
    parts.load_state_dict(weights)


class _JointBatches(IterableDataset):
    """Half crops (a predicted, a predicted and corrupted, or a corrupted true map), half fresh maps.

    Yields maps (B, S, S) int64, vertices, joints, and the pictures of the first half of the crops.
    """

    def __init__(self, options: argparse.Namespace, held: int, step: int):
        self.options, self.held, self.step = options, held, step

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        from hmnet.data.synthetic.maps import map_batches
        from hmnet.data.synthetic.poses import PoseLibrary

        torch.set_num_threads(1)
        options, preprocessing = self.options, Preprocessing()
        crops = open_crops(options.data)
        generator = np.random.default_rng([options.seed, self.step])
        library = PoseLibrary.build(options.poses, 0).part(False)
        half = options.batch // 2
        fresh = map_batches(
            library, generator, options.batch - half, preprocessing.image_size, preprocessing.crop_margin
        )
        body = load_body()
        mirror, mirrored_joints = body.mirror.numpy(), body.mirrored_joints
        while True:
            images, maps, vertices, joints = [], [], [], []
            for index, pick in enumerate(generator.integers(self.held, len(crops), half)):
                chance = generator.random()
                part_map = crops.true_maps[pick] if chance > 0.85 else crops.predicted_maps[pick]
                part_map = corrupt(part_map, generator) if chance > 0.65 else part_map
                image, surface, skeleton = crops.images[pick], crops.vertices[pick], crops.joints[pick]
                if generator.random() < 0.5:
                    image, part_map = flip(image, part_map)
                    surface, skeleton = surface[mirror] * [-1, 1, 1], skeleton[mirrored_joints] * [-1, 1, 1]
                if index < half // 2:
                    images.append(image)
                maps.append(part_map)
                vertices.append(surface)
                joints.append(skeleton)
            more_maps, more_vertices, more_joints = next(fresh)
            yield (
                torch.from_numpy(np.concatenate([np.stack(maps), more_maps])).long(),
                torch.from_numpy(np.concatenate([np.stack(vertices), more_vertices]).astype(np.float32)),
                torch.from_numpy(np.concatenate([np.stack(joints), more_joints]).astype(np.float32)),
                normalise(np.stack(images), preprocessing),
            )
