"""Stage dataset: HMNet on SURREAL, UP-3D or Human3.6M, each by itself, as the paper trains (section 4).

The template is SMPL's, subsampled; pictures are cut by the true box; the part map is the segmenter's, or the
true one for hmnet-oracle. Adam with the set's batch and rate, unless told otherwise.
Differs from the paper: the rate warms up and falls by a cosine, and the weights are averaged, as in the other
stages (`hmnet.trainer`), so that a short run ends well too.
"""

import argparse
import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hmnet import parallel
from hmnet.body import BodyTemplate
from hmnet.checkpoint import load_checkpoint, save_checkpoint
from hmnet.config import Preprocessing
from hmnet.data.augment import normalise_pixels
from hmnet.data.dataset_sample import DatasetSample, cut, on_template
from hmnet.data.datasets import DATASETS, info_of, open_dataset, shared_joints
from hmnet.errors import DataError
from hmnet.look import look_at, part_logits
from hmnet.losses import joint_loss
from hmnet.model import HMNet, HMNetOutput, build_hmnet
from hmnet.pose_loss import PoseLoss
from hmnet.precision import half_precision
from hmnet.segmentation import PartSegmenter
from hmnet.stage_pose import model_config
from hmnet.trainer import Trainer, feed, load_weights
from hmnet.variants import form_of
from hmnet.weights_file import fill

TRAINED = tuple(name for name, info in DATASETS.items() if info.preset is not None)
TEMPLATES = {"anny": "smpl-1723", "anny-full": "smpl"}
"""SMPL's template in the place of a variant's own: the subsampled one, or the full one."""
ADAM = functools.partial(torch.optim.Adam, fused=True)
HELD_OUT = 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this stage has."""
    parser.add_argument("--dataset", choices=list(DATASETS), help="which dataset (dataset)")
    parser.add_argument("--root", help="the dataset's folder (dataset)")
    parser.add_argument(
        "--joint-loss-only", action="store_true",
        help="go on from --initial with L_J alone, on the joints of both branches (dataset)",
    )  # fmt: skip


def use_preset(options: argparse.Namespace) -> None:
    """Batch and rate of the paper's preset where none was given; DataError without --dataset and --root."""
    if options.dataset is None or options.root is None:
        raise DataError(f"Stage dataset needs --dataset {'|'.join(TRAINED)} and --root DIR.")
    info = info_of(options.dataset)
    preset = info.preset
    if preset is None:
        raise DataError(
            f"{info.title}'s surfaces are {info.body}'s and it is only measured on (`hmnet evaluate`): stage "
            f"dataset trains on SMPL's bodies, so choose one of {', '.join(TRAINED)}."
        )
    options.batch = preset.batch if options.batch is None else options.batch
    options.rate = preset.rate if options.rate is None else options.rate


def train_dataset(options: argparse.Namespace, device: torch.device) -> None:
    """Train on a dataset's training split; --output becomes a checkpoint's folder. See `hmnet.train`."""
    if options.joint_loss_only and options.initial is None:
        raise DataError("--joint-loss-only goes on with trained weights: give their state as --initial.")
    form = form_of(options.variant)
    if not form.true_meshes:
        raise DataError(f"{options.variant} is trained on rendered pictures alone: choose another --variant.")
    config = dataclasses.replace(model_config(options), body=TEMPLATES[form.body])
    samples = open_dataset(
        options.dataset, options.root, "train",
        surfaces=not options.joint_loss_only, part_maps=form.parts == "true",
    )  # fmt: skip
    network = build_hmnet(config)
    if options.initial:
        fill(network, load_weights(options.initial), options.initial)
    segmenter, preprocessing = _segmenter(options).to(device), Preprocessing()
    loss = PoseLoss(network.body, device, form)
    trainer = Trainer(network, options, device, loss.means, ADAM)
    names = shared_joints(samples.joint_names, network.body.joint_names)
    held = min(HELD_OUT, len(samples) // 10)

    def look(images: Tensor, maps: Tensor) -> HMNetOutput:
        true_maps = maps if form.parts == "true" else None
        return _answer(network, segmenter, normalise_pixels(images, preprocessing), true_maps)

    def loss_of(images, maps, vertices, joints) -> tuple[Tensor, dict[str, Tensor]]:
        output = look(images, maps)
        if options.joint_loss_only:
            return joints_alone(loss, output, joints, names)
        return loss(output, vertices, joints)

    def validate() -> dict[str, float]:
        if not held or options.joint_loss_only:
            return {}
        images, maps, vertices, joints = batches.batch_of(range(len(samples) - held, len(samples)))
        output = look(*(torch.from_numpy(array).to(device) for array in (images, maps)))
        return loss.scores(output, torch.from_numpy(vertices), joints)

    batches = SampleBatches(samples, held, options.batch, options.seed, preprocessing, network.body)
    trainer.fit(feed(batches, trainer.step, options.workers or 0, device), loss_of, validate)
    if parallel.rank() == 0:
        trainer.network.load_state_dict(trainer.averaged)
        made_of = {"dataset": info_of(options.dataset).title, "images": trainer.images, "steps": trainer.step}
        extra = {"data": {"hmnet": made_of}}
        save_checkpoint(options.output, trainer.network, segmenter, preprocessing, extra, model_config=config)


def _segmenter(options: argparse.Namespace) -> PartSegmenter:
    """The embedded segmenter, with the weights of --segmenter where those are given."""
    segmenter = load_checkpoint().segmenter
    if options.segmenter:
        fill(segmenter, load_weights(options.segmenter), options.segmenter)
    return segmenter.eval().requires_grad_(False)


def _answer(
    network: HMNet, segmenter: PartSegmenter, pixels: Tensor, true_maps: Tensor | None
) -> HMNetOutput:
    """HMNet's answer to normalised crops (B, 3, S, S), with true part maps (B, S, S) or the segmenter's."""
    with torch.no_grad():
        look = look_at(segmenter, pixels, mirror=False)
        maps = segmenter.label(part_logits(segmenter, look)) if true_maps is None else true_maps.long()
        seen = network.rgb_encoder.see(look.image, look.features)
    with half_precision(pixels.device):
        features = network.rgb_encoder(seen), network.part_encoder(maps)
    return network.decode(*(feature.float() for feature in features))


def joints_alone(
    loss: PoseLoss, output: HMNetOutput, joints: Tensor, names: tuple[list[int], list[int]]
) -> tuple[Tensor, dict[str, Tensor]]:
    """L_J (Eq. 2) on the joint branch, and the same distance on the joints of the regularised mesh.

    Paper, section 4: on Human3.6M the joints alone are known; the second term keeps the mesh with them.
    joints: (B, J, 3) m, of the set. names: where the joints that both name stand in the set and in the body.
    """
    of_set, of_body = names
    regressed = loss.regularised(output)[1]
    terms = {
        "joint": joint_loss(output.joints[:, of_body], joints[:, of_set]),
        "mesh_joint": joint_loss(regressed[:, of_body], joints[:, of_set]),
    }
    return terms["joint"] + terms["mesh_joint"], terms


class SampleBatches(Dataset):
    """Batch k, drawn by (seed, k): pictures (B, S, S, 3) and part ids (B, S, S) uint8, vertices (B, V, 3) and
    joints (B, J, 3) float32 m.

    The last `held` samples are left out. V is the template's, 0 where the samples have no surface. The joints
    are the set's own; but with surfaces, of a set that lacks some of the body's, those of the surface.
    """

    def __init__(
        self, samples: Sequence[DatasetSample], held: int, batch: int, seed: int,
        preprocessing: Preprocessing, body: BodyTemplate,
    ):  # fmt: skip
        self.samples, self.count, self.batch, self.seed = samples, len(samples) - held, batch, seed
        self.preprocessing, self.body = preprocessing, body

    def __getitem__(self, step: int) -> tuple[np.ndarray, ...]:
        return self.batch_of(np.random.default_rng([self.seed, step]).integers(self.count, size=self.batch))

    def batch_of(self, picks: Sequence[int]) -> tuple[np.ndarray, ...]:
        """The batch of these samples."""
        samples = [self.samples[pick] for pick in picks]
        images, maps = zip(*(cut(sample, self.preprocessing) for sample in samples), strict=True)
        joints = np.stack([sample.joints for sample in samples])
        vertices = np.zeros((len(samples), 0, 3), np.float32)
        if samples[0].vertices is not None:
            surface = torch.from_numpy(np.stack([sample.vertices for sample in samples]))
            on_body = on_template(self.body, surface)
            vertices = on_body.numpy()
            if set(self.body.joint_names) - set(self.samples.joint_names):
                joints = self.body.regress_joints(on_body).numpy()
        return np.stack(images), np.stack(maps), vertices, joints
