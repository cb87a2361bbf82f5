"""The judge of realism: blind where nothing differs, sure where all does, never shown its test photos."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("webdataset", reason="shards need webdataset (requirements-dev.txt)")

from hmnet.body import load_body
from hmnet.data.shards import write_shard
from hmnet.data.synthetic import realism
from hmnet.data.synthetic.sheet import Photo
from hmnet.data.synthetic.tells import MASKED, STATISTICS
from hmnet.errors import DataError


def features(generator, sources: int, each: int, shift: float = 0.0):
    """Windows' features that are alike within a source, and the sources."""
    own = generator.normal(0, 1, (sources, 1, 20)) + generator.normal(0, 0.3, (sources, each, 20)) + shift
    return own.reshape(-1, 20), np.repeat(np.arange(sources), each)


def test_one_distribution_cannot_be_told_apart_and_two_can():
    generator = np.random.default_rng(0)
    renders, render_sources = features(generator, 300, 1)
    photos, photo_sources = features(generator, 100, 4)
    verdict = realism.tell_apart(renders, photos, render_sources, photo_sources, generator)
    assert abs(verdict.auc.mean() - 0.5) < 0.08 and abs(verdict.accuracy.mean() - 0.5) < 0.08
    verdict = realism.tell_apart(renders + 1.5, photos, render_sources, photo_sources, generator)
    assert verdict.auc.mean() > 0.95 and verdict.accuracy.mean() > 0.9
    assert verdict.scores[:300].mean() > 0 > verdict.scores[300:].mean()


def test_the_judge_never_sees_a_source_it_is_asked_about(monkeypatch):
    generator = np.random.default_rng(1)
    renders, render_sources = np.zeros((40, 1)), np.arange(40)
    photo_sources = np.repeat(np.arange(12), 5)
    photos = 1.0 + photo_sources[:, None]

    def spy(train, truth, test):
        assert not np.intersect1d(train[~truth], test[test > 0]).size
        assert truth.any() and not truth.all()
        return np.zeros(len(test))

    monkeypatch.setattr(realism, "_logistic", spy)
    realism.tell_apart(renders, photos, render_sources, photo_sources, generator)


def test_groups_never_straddle_folds_and_spread_evenly():
    groups = np.random.default_rng(2).integers(0, 23, 400)
    fold = realism.grouped_folds(groups, 5, np.random.default_rng(3))
    assert all(len(np.unique(fold[groups == g])) == 1 for g in np.unique(groups))
    counts = [len(np.unique(groups[fold == k])) for k in range(5)]
    assert sum(counts) == len(np.unique(groups)) and max(counts) - min(counts) <= 1


def test_area_under_curve_agrees_with_its_definition():
    generator = np.random.default_rng(4)
    a, b = generator.integers(0, 9, 50).astype(float), generator.integers(2, 12, 40).astype(float)
    slow = np.mean([(x > y) + 0.5 * (x == y) for x in a for y in b])
    assert np.isclose(realism.area_under_curve(a, b), slow)


def test_statistics_say_what_they_are_named_after():
    generator = np.random.default_rng(5)
    flat = np.full((64, 64, 3), 0.5, np.float32)
    noisy = (flat + generator.normal(0, 0.05, (64, 64, 1))).astype(np.float32)
    assert np.isclose(STATISTICS["noise level"](noisy), 0.05, rtol=0.15)
    assert STATISTICS["noise level"](flat) < 1e-6 < STATISTICS["sharpness (Laplacian)"](noisy)
    assert abs(STATISTICS["spectrum slope"](noisy)) < 0.5, "white noise has a flat spectrum"
    red = flat * [1, 0, 0]
    assert STATISTICS["saturation"](red) > 0.9 and STATISTICS["colourfulness"](flat) == 0
    mask = np.zeros((64, 64), bool)
    mask[16:48, 16:48] = True
    figure = np.where(mask[..., None], 0.8, flat).astype(np.float32)
    assert np.isclose(MASKED["person minus background"](figure, mask), 0.3, atol=1e-3)
    assert MASKED["silhouette edge"](figure, mask) > 0.05
    assert MASKED["gradient within person"](figure, mask) < 1e-6


def test_photos_are_windowed_at_the_renders_size_with_their_masks():
    image = np.zeros((400, 600, 3), np.uint8)
    mask = np.zeros((400, 600), bool)
    mask[50:350, 250:350] = True
    image[mask] = 255
    photo = Photo("x", image, np.array([250, 50, 350, 350.0]), mask)
    windows = realism.photo_windows([photo], np.array([100.0]), 6, np.random.default_rng(6))
    assert windows.pictures.shape == (6, realism.SIDE, realism.SIDE, 3) and (windows.sources == 0).all()
    bright = windows.pictures.mean(-1) > 127
    assert windows.masks.any((1, 2)).all() and (bright == windows.masks).mean() > 0.95


def write_data(folder, generator, count: int = 30) -> None:
    """Flat grey renders with a plain person, and noisy photos."""
    (folder / "shards").mkdir(parents=True)
    (folder / "images").mkdir()
    vertices, made = load_body().vertices.numpy(), []
    part_map = np.zeros((128, 128), np.uint8)
    part_map[14:114, 40:90] = 2
    for _ in range(count):
        image = np.where(part_map[..., None] > 0, generator.integers(0, 255, 3), 128).astype(np.uint8)
        made.append(
            SimpleNamespace(
                keypoints=None,
                image=image,
                part_map=part_map,
                vertices=vertices,
                joints=np.zeros((24, 3)),
                camera=np.ones(3, np.float32),
                box=np.array([40, 14, 90, 114], np.float32),
                kind="standing",
                tags=(),
            )
        )
    write_shard(folder / "shards" / "00000.tar", made, generator)
    for i in range(12):
        noise = Image.fromarray(generator.integers(0, 255, (150, 200, 3)).astype(np.uint8))
        noise.save(folder / "images" / f"{i}.png")


def test_the_command_tells_flat_renders_from_noise(tmp_path, capsys):
    write_data(tmp_path, np.random.default_rng(7))
    arguments = ["--data", str(tmp_path / "shards"), "--photos", str(tmp_path / "images")]
    assert realism.main([*arguments, "--windows", "2", "--output", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    person = next(line for line in said.splitlines() if line.startswith("person crops: AUC"))
    assert float(person.split()[3]) > 0.95 and "12 photos x 2" in person
    assert "sharpness (Laplacian)" in said
    with Image.open(tmp_path / "out" / "person_crops.jpg") as picture:
        assert picture.width > 8 * realism.SIDE


def test_bad_input_gives_one_sentence(tmp_path, capsys):
    write_data(tmp_path, np.random.default_rng(8), 3)
    good = {"--data": "shards", "--photos": "images"}
    for change in ({"--data": "nowhere"}, {"--photos": "nowhere"}, {"--photos": "shards"}, {}):
        arguments = [text for key, name in {**good, **change}.items() for text in (key, str(tmp_path / name))]
        assert realism.main(arguments) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and said.strip()[-1] in ".)" and "Traceback" not in said
    with pytest.raises(DataError, match="at least"):
        realism.tell_apart(
            np.zeros((3, 2)), np.zeros((40, 2)), np.arange(3), np.arange(40), np.random.default_rng(0)
        )
