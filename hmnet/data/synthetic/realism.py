"""How well can a small classifier tell renders from photos? `python -m hmnet.data.synthetic.realism`.

The judge is a logistic regression on pooled features of MoveNet, which no training here changes, so that
figures of different days compare. Both sides are first made alike in what would tell them apart for
no good reason: photos are shrunk until their person is as large as in some render and are stored as the
shards are, windows follow one rule, all are brought to one size and one JPEG quality and half are flipped.
An AUC of 0.5 would be renders that cannot be told from photos.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hmnet.checkpoint import load_features
from hmnet.config import Preprocessing
from hmnet.data.crop import extract, extract_labels, normalise
from hmnet.data.shards import JPEG_QUALITY, StoredSample
from hmnet.data.synthetic.sheet import Photo, draw_samples, grid, read_photos, save_picture, window
from hmnet.data.synthetic.tells import MASKED, STATISTICS, enough
from hmnet.errors import DataError, HMNetError
from hmnet.movenet import MoveNet

SIDE = 128
"""Every window is looked at in this size, px."""
SCALES = (0.35, 1.2)
"""Side of a person window as a share of the person box's longer side."""
FOLDS, REPEATS, LEFT_OUT = 5, 5, 0.2
"""Each repeat folds anew and leaves out a fifth of the sources: the spread shows what their choice does."""
WEIGHT_DECAY = 0.2


@dataclass(frozen=True)
class Windows:
    """pictures: (N, SIDE, SIDE, 3) uint8. sources: (N,) int, equal for windows of one picture. masks:
    (N, SIDE, SIDE) bool, where the person is, nowhere when it is not known."""

    pictures: np.ndarray
    sources: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class Verdict:
    """auc, accuracy: (R,) one a repeat, judged on sources never trained on. scores: (N,) how much like a
    render each window is, renders first (mean over repeats, NaN where it was never judged)."""

    auc: np.ndarray
    accuracy: np.ndarray
    scores: np.ndarray

    def __str__(self) -> str:
        return (
            f"AUC {self.auc.mean():.3f} +- {self.auc.std():.3f}, "
            f"accuracy {self.accuracy.mean():.3f} +- {self.accuracy.std():.3f}"
        )


def grouped_folds(groups: np.ndarray, folds: int, generator: np.random.Generator) -> np.ndarray:
    """A fold (N,) in 0..folds-1 for each item; items of one group (N,) share theirs, groups spread evenly."""
    names, index = np.unique(groups, return_inverse=True)
    return generator.permutation(np.arange(len(names)) % folds)[index]


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive value exceeds a negative one, ties counting half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(negative)))


def tell_apart(
    renders: np.ndarray,
    photos: np.ndarray,
    render_sources: np.ndarray,
    photo_sources: np.ndarray,
    generator: np.random.Generator,
) -> Verdict:
    """Cross-validated logistic regression on features (N, C) of renders and (M, C) of photos.

    Both sides weigh the same. Raises DataError with fewer than FOLDS sources on a side.
    """
    count = len(renders)
    features = np.concatenate([renders, photos]).astype(np.float32)
    truth = np.arange(len(features)) < count
    offset = render_sources.max(initial=0) + 1
    groups = np.concatenate([render_sources, photo_sources + offset])
    for name, own in (("renders", render_sources), ("photos", photo_sources)):
        if len(np.unique(own)) < 2 * FOLDS:
            raise DataError(f"Expected at least {2 * FOLDS} {name}, got {len(np.unique(own))}: give more.")
    auc, accuracy = [], []
    total, times = np.zeros(len(features)), np.zeros(len(features))
    for _ in range(REPEATS):
        kept, fold = np.zeros(len(features), bool), np.zeros(len(features), int)
        for side in (truth, ~truth):
            names = np.unique(groups[side])
            chosen = generator.permutation(names)[: round((1 - LEFT_OUT) * len(names))]
            kept |= side & np.isin(groups, chosen)
            fold[side] = grouped_folds(groups[side], FOLDS, generator)
        scores = np.full(len(features), np.nan)
        for k in range(FOLDS):
            train, test = kept & (fold != k), kept & (fold == k)
            scores[test] = _logistic(features[train], truth[train], features[test])
        auc.append(area_under_curve(scores[kept & truth], scores[kept & ~truth]))
        hits = (scores > 0) == truth
        accuracy.append((hits[kept & truth].mean() + hits[kept & ~truth].mean()) / 2)
        total[kept] += scores[kept]
        times += kept
    mean = np.divide(total, times, out=np.full(len(total), np.nan), where=times > 0)
    return Verdict(np.array(auc), np.array(accuracy), mean)


def _logistic(train: np.ndarray, truth: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Log-odds (T,) of the test items under a balanced, L2-regularised fit to the training items."""
    mean, spread = train.mean(0), (train.std(0) + 1e-6) * np.float32(np.sqrt(train.shape[1]))
    x = torch.from_numpy((train - mean) / spread)
    y = torch.from_numpy(truth.astype(np.float32))
    share = y.mean()
    balance = torch.where(y > 0, 0.5 / share, 0.5 / (1 - share))
    weight, bias = torch.zeros(x.shape[1], requires_grad=True), torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        fit = torch.nn.functional.binary_cross_entropy_with_logits(x @ weight + bias, y, balance)
        total = fit + WEIGHT_DECAY * weight.square().mean()
        total.backward()
        return total

    optimiser.step(loss)
    with torch.no_grad():
        unseen = torch.from_numpy((test - mean) / spread)
        return (unseen @ weight + bias).numpy()


def encoder_features(encoder: MoveNet, pictures: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each channel of MoveNet's pyramid, (N, C) float32."""
    out = []
    with torch.inference_mode():
        for start in range(0, len(pictures), 32):
            *pyramid, _ = encoder(normalise(pictures[start : start + 32], Preprocessing()))
            pooled = [statistic for x in pyramid for statistic in (x.mean((2, 3)), x.std((2, 3)))]
            out.append(torch.cat(pooled, 1).numpy())
    return np.concatenate(out)


def _recoded(picture: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _window(image, mask, cut, generator) -> tuple[np.ndarray, np.ndarray]:
    """A window as the judge sees it, and where the person is in it; flipped or not."""
    picture = _recoded(extract(image, cut, SIDE), 80)
    inside = np.zeros((SIDE, SIDE), bool) if mask is None else extract_labels(mask, cut, SIDE)
    step = 1 if generator.random() < 0.5 else -1
    return picture[:, ::step], inside[:, ::step]


def _person_cut(shape: tuple[int, int], box: np.ndarray, generator: np.random.Generator):
    """A square about some place of the person; the closer it is, the more freely it is placed."""
    low, high = np.asarray(box[:2], float), np.asarray(box[2:], float)
    scale = np.exp(generator.uniform(*np.log(SCALES)))
    freedom = 0.5 * max(1 - scale, 0.1)
    centre = (low + high) / 2 + generator.uniform(-1, 1, 2) * freedom * (high - low)
    return window(np.empty(shape), centre, scale * (high - low).max())


def _stored(image: np.ndarray, mask, share: float, generator: np.random.Generator):
    """A photo shrunk to that share of its size and JPEG-coded as the shards are."""
    size = [max(8, round(n * share)) for n in image.shape[1::-1]]
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))
    if mask is not None:
        mask = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    return _recoded(small, int(generator.integers(*JPEG_QUALITY))), mask


def _gathered(found: Sequence[tuple[np.ndarray, np.ndarray, int]]) -> Windows:
    pictures, masks, sources = zip(*found, strict=True)
    return Windows(np.stack(pictures), np.array(sources), np.stack(masks))


def render_windows(
    samples: Sequence[StoredSample], generator: np.random.Generator
) -> tuple[Windows, Windows]:
    """A person window and a whole window of each sample."""
    person, whole = [], []
    for source, sample in enumerate(samples):
        image, mask = sample.image, sample.part_map > 0
        size = image.shape[:2]
        person.append((*_window(image, mask, _person_cut(size, sample.box, generator), generator), source))
        full = window(image, (size[1] / 2, size[0] / 2), min(size))
        whole.append((*_window(image, mask, full, generator), source))
    return _gathered(person), _gathered(whole)


def photo_windows(
    photos: Sequence[Photo], sizes: np.ndarray, count: int, generator: np.random.Generator
) -> Windows:
    """`count` person windows of each photo, its person as large (px, longer side) as one of `sizes`."""
    found = []
    for source, photo in enumerate(photos):
        own = max(photo.box[2] - photo.box[0], photo.box[3] - photo.box[1])
        for _ in range(count):
            share = min(1.0, generator.choice(sizes) / own)
            image, mask = _stored(photo.image, photo.mask, share, generator)
            # The share that rounding to whole pixels left.
            box = photo.box * np.tile(np.divide(image.shape[1::-1], photo.image.shape[1::-1]), 2)
            cut = _person_cut(image.shape[:2], box, generator)
            found.append((*_window(image, mask, cut, generator), source))
    return _gathered(found)


def whole_windows(photos: Sequence[Photo], size: int, count: int, generator: np.random.Generator) -> Windows:
    """`count` large squares of each photo about its person, shrunk to what a render of `size` px is."""
    found = []
    for source, photo in enumerate(photos):
        height, width = photo.image.shape[:2]
        middle = (photo.box[:2] + photo.box[2:]) / 2 / (width, height)
        for _ in range(count):
            share = min(1.0, size / (min(height, width) * generator.uniform(0.6, 1)))
            image, mask = _stored(photo.image, photo.mask, share, generator)
            place = middle * image.shape[1::-1] + generator.uniform(-0.3, 0.3, 2) * size
            found.append((*_window(image, mask, window(image, place, size), generator), source))
    return _gathered(found)


def statistics(windows: Windows) -> dict[str, np.ndarray]:
    """Each statistic of each window (N,); NaN where it needs a mask and there is too little of one."""
    out = {name: [] for name in (*STATISTICS, *MASKED)}
    for picture, mask in zip(windows.pictures, windows.masks, strict=True):
        unit = picture.astype(np.float32) / 255
        for name, of in STATISTICS.items():
            out[name].append(of(unit))
        usable = enough(mask)
        for name, of in MASKED.items():
            out[name].append(of(unit, mask) if usable else np.nan)
    return {name: np.array(values) for name, values in out.items()}


def compared(renders: Windows, photos: Windows) -> str:
    """A table of the statistics on both sides; AUC above 0.5 means that renders have more of it."""
    lines = [f"  {'statistic':26}{'renders':>9}{'photos':>9}{'difference':>12}{'AUC':>7}"]
    ours, theirs = statistics(renders), statistics(photos)
    for name in ours:
        a, b = (values[name][np.isfinite(values[name])] for values in (ours, theirs))
        if len(a) and len(b):
            auc = area_under_curve(a, b)
            lines.append(f"  {name:26}{a.mean():9.4f}{b.mean():9.4f}{a.mean() - b.mean():+12.4f}{auc:7.2f}")
    return "\n".join(lines)


def most_recognised(renders: Windows, photos: Windows, verdict: Verdict) -> np.ndarray:
    """The 16 renders that give themselves away most, beside the 16 photos that are surest to be photos."""
    scores = np.nan_to_num(verdict.scores, nan=0.0)
    blocks = []
    for windows, liking in ((renders, scores[: len(renders)]), (photos, -scores[len(renders) :])):
        order = np.argsort(-liking, kind="stable")
        _, first = np.unique(windows.sources[order], return_index=True)
        blocks.append(grid(list(windows.pictures[order[np.sort(first)[:16]]]), 4))
    height = max(len(block) for block in blocks)
    space = np.full((height, 24, 3), 255, np.uint8)
    left, right = (np.pad(block, ((0, height - len(block)), (0, 0), (0, 0))) for block in blocks)
    return np.concatenate([left, space, right], 1)


def measure(options: argparse.Namespace) -> None:
    """Print the verdicts and tables; write pictures of what gave most away where asked to."""
    if options.windows < 2:
        raise DataError(f"Expected at least 2 windows of each photo, got {options.windows}: ask for more.")
    generator = np.random.default_rng(options.seed)
    encoder = load_features()
    photos = read_photos(options.photos, options.masks)
    backgrounds = read_photos(options.backgrounds) if options.backgrounds else []
    samples = draw_samples(options.data, options.renders, generator)
    boxes = np.stack([sample.box for sample in samples])
    person, whole = render_windows(samples, generator)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(1)
    size = samples[0].part_map.shape[0]
    theirs = photo_windows(photos, sizes, options.windows, generator)
    large = whole_windows(photos, size, options.windows // 2, generator)
    sides = f"{len(samples)} renders, {len(photos)} photos"
    pairs = [
        ("person crops", (person, theirs), f"{sides} x {options.windows}"),
        ("whole windows", (whole, large), f"{sides} x {options.windows // 2}"),
    ]
    known = {id(w): encoder_features(encoder, w.pictures) for w in (person, theirs, whole, large)}
    if backgrounds:
        chosen = generator.permutation(len(backgrounds))[: len(samples)]
        empty = whole_windows([backgrounds[i] for i in chosen], size, 1, generator)
        both = Windows(
            np.concatenate([large.pictures, empty.pictures]),
            np.concatenate([large.sources, empty.sources + len(photos)]),
            np.concatenate([large.masks, empty.masks]),
        )
        known[id(empty)] = encoder_features(encoder, empty.pictures)
        known[id(both)] = np.concatenate([known[id(large)], known[id(empty)]])
        pairs += [
            ("whole, with backgrounds", (whole, both), f"and {len(empty)} backgrounds without people"),
            ("yardstick, backgrounds from photos", (empty, large), "both of them real"),
        ]
    for name, (ours, others), said in pairs:
        verdict = tell_apart(known[id(ours)], known[id(others)], ours.sources, others.sources, generator)
        print(f"{name}: {verdict} (0.5 would be indistinguishable), {said}")
        if options.output and "yardstick" not in name:
            file = options.output / f"{name.replace(', ', ' ').replace(' ', '_')}.jpg"
            save_picture(most_recognised(ours, others, verdict), file)
    for name, (ours, others), _ in pairs[:2]:
        print(f"\n{name}, renders against photos (AUC > 0.5: renders have more)")
        print(compared(ours, others))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure realism; 0, or 2 after one sentence on what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of shards (*.tar)")
    parser.add_argument("--photos", type=Path, required=True, help="folder of real photos of people")
    parser.add_argument("--backgrounds", type=Path, help="folder of further real pictures")
    parser.add_argument(
        "--masks", type=Path, help="NAME.png of each photo (default: masks beside the photos)"
    )
    parser.add_argument("--output", type=Path, help="folder for pictures of what was recognised most")
    parser.add_argument("--renders", type=int, default=400, help="samples to judge")
    parser.add_argument("--windows", type=int, default=16, help="person windows of each photo, at least 2")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        measure(options)
    except HMNetError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
