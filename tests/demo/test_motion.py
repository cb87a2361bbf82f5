"""A clip followed, a camera's pictures answered, and what can be taken along of a clip."""

import base64
import io
import json

import av
import numpy as np
import pytest
from fake_predictor import FakePredictor, draw_person, fitting_camera, posed_vertices
from PIL import Image

from demo import motion, motion_files, motion_view
from demo.motion import BUSY, Live, drawing, follow
from hmnet.errors import OutputError, VideoError

SIZE = (120, 160)


@pytest.fixture(scope="module")
def predictor():
    return FakePredictor()


def frames(count: int) -> list[np.ndarray]:
    """Plainly drawn people, each standing otherwise."""
    meshes = [posed_vertices(seed) for seed in range(count)]
    return [draw_person(mesh, fitting_camera(mesh, SIZE), SIZE)[0] for mesh in meshes]


def video(images: list[np.ndarray], rate: int = 10) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


@pytest.fixture(scope="module")
def film(predictor):
    """Four frames; in the third there is nobody."""
    images = frames(4)
    images[2] = np.full_like(images[2], 90)
    *_, (_, _, film) = follow(predictor, video(images))
    return film


def test_a_clip_is_followed_frame_by_frame(predictor):
    steps = list(follow(predictor, video(frames(3))))
    assert [done for done, _, _ in steps] == [1, 2, 3, 3]
    assert all(film is None for *_, film in steps[:-1])
    film = steps[-1][2]
    assert film.size == SIZE and film.rate == 10 and film.found == 3
    assert [moment.seconds for moment in film.moments] == pytest.approx([0, 0.1, 0.2])


def test_frames_without_anybody_are_kept_as_such(film):
    assert [moment.prediction is None for moment in film.moments] == [False, False, True, False]
    assert "nobody found in 1 of them" in motion.film_line(film)


def test_a_session_keeps_no_pixels_but_the_jpeg(film):
    for moment in film.moments:
        if moment.prediction is not None:
            arrays = [value for value in vars(moment.prediction).values() if isinstance(value, np.ndarray)]
            assert sum(array.nbytes for array in arrays) < 60_000


def test_what_the_scripts_get(film):
    value = json.loads(json.dumps(drawing(film, "abcd")))
    assert value["size"] == list(SIZE) and len(value["frames"]) == 4
    assert "raw" not in value["frames"][2] and "camera" not in value["frames"][2]
    first, moment = value["frames"][0], film.moments[0]
    raw = np.frombuffer(base64.b64decode(first["raw"]), "<f2").reshape(-1, 3)
    np.testing.assert_allclose(raw, moment.prediction.raw_vertices, atol=1e-3)
    np.testing.assert_allclose(first["camera"], moment.prediction.camera, atol=1e-4)
    picture = Image.open(io.BytesIO(base64.b64decode(first["picture"].partition(",")[2])))
    assert picture.format == "JPEG" and picture.size == SIZE


def test_clips_that_cannot_be_used(predictor):
    with pytest.raises(VideoError, match="Nobody was found"):
        list(follow(predictor, video([np.full((160, 120, 3), 90, np.uint8)] * 3)))
    with pytest.raises(VideoError, match="at most 10 s"):
        list(follow(predictor, video(frames(1) * 26, rate=2)))
    with pytest.raises(VideoError, match="not a video"):
        list(follow(predictor, b"These are words."))


def test_many_frames_a_second_are_thinned_out(predictor):
    *_, (count, _, film) = follow(predictor, video(frames(1) * 30, rate=60))
    assert film.rate == motion.MOST_RATE and 7 <= count <= 9


def test_the_filter_s_numbers_and_the_joints(predictor):
    settings = motion_view.settings(predictor.body)
    rows = json.loads(settings["joints"])
    assert len(settings["filter"]) == 3 and len(rows) == 24
    vertices = predictor.body.vertices.numpy()
    joints = [sum(weight * vertices[v] for v, weight in row) for row in rows]
    np.testing.assert_allclose(joints, predictor.body.regress_joints(predictor.body.vertices), atol=1e-3)


# --- live


def message(image: np.ndarray, box=None) -> dict:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return {"picture": "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode(), "box": box}


def test_a_picture_is_answered_with_the_mesh_and_the_next_box(predictor):
    answer = json.loads(json.dumps(Live(predictor).answer(message(frames(1)[0]))))
    assert len(base64.b64decode(answer["raw"])) == 2 * 3 * 1229
    x0, y0, x1, y1 = answer["box"]
    assert 0 <= x0 < x1 <= SIZE[0] and 0 <= y0 < y1 <= SIZE[1] and answer["ms"] > 0
    again = Live(predictor).answer(message(frames(1)[0], answer["box"]))
    assert "raw" in again


def test_nobody_in_the_picture(predictor):
    assert Live(predictor).answer(message(np.full((160, 120, 3), 90, np.uint8)))["nobody"] is True


@pytest.mark.parametrize(
    "box",
    [
        "here",
        [1, 2],
        [float("nan")] * 4,
        [50, 50, 50, 50],
        [900, 900, 950, 950],
        {},
        # No float holds it: an OverflowError came through.
        [10**400] * 4,
    ],
)
def test_a_box_that_is_none_is_not_used(predictor, box):
    assert "raw" in Live(predictor).answer(message(frames(1)[0], box))


@pytest.mark.parametrize(
    "wrong",
    [None, "picture", {}, {"picture": 7}, {"picture": "data:image/svg+xml;base64,AAAA"},
     {"picture": "data:image/jpeg;base64,%%%%"},
     # What is not even ASCII ended in a ValueError of Python's.
     {"picture": "data:image/jpeg;base64,\u00e9\ud800"}, {"picture": "data:image/jpeg;base64,AAAA"},
     {"picture": "data:image/jpeg;base64," + "A" * (motion.MOST_PICTURE + 4)}],
)  # fmt: skip
def test_what_is_no_picture_gets_one_sentence(predictor, wrong):
    answer = Live(predictor).answer(wrong)
    assert set(answer) == {"problem"} and answer["problem"].endswith(".") and "\n" not in answer["problem"]


def test_too_many_at_once_are_told_to_come_again(predictor, monkeypatch):
    live = Live(predictor)
    for _ in range(motion.AT_ONCE):
        assert live._places.acquire(blocking=False)
    assert live.answer(message(frames(1)[0])) == {"busy": BUSY}
    live._places.release()
    assert "raw" in live.answer(message(frames(1)[0]))


# --- files


def test_the_files_of_a_clip(film, predictor, tmp_path):
    overlay = motion_files.write(film, predictor, "overlay", tmp_path)
    with av.open(str(overlay)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(shown) == 4 and shown[0].shape == (SIZE[1], SIZE[0], 3)
    plain = np.asarray(Image.open(io.BytesIO(film.moments[0].picture))).astype(int)
    assert np.abs(shown[0] - plain).mean() > 2, "the mesh is drawn"
    assert motion_files.write(film, predictor, "animation", tmp_path).read_bytes()[:4] == b"glTF"
    numbers = json.loads(motion_files.write(film, predictor, "numbers", tmp_path).read_text())
    assert (
        len(numbers["frames"]) == 4
        and "joints" in numbers["frames"][0]
        and "joints" not in numbers["frames"][2]
    )
    with pytest.raises(OutputError, match="choose one of overlay"):
        motion_files.write(film, predictor, "hologram", tmp_path)
