"""The tab of somebody who moves: a clip with its time line, and the camera, for which a clip is played."""

import json
from urllib.parse import urlsplit

import av
import numpy as np
import pytest
from chromium import launch_with_camera, write_film

from demo.motion_tab import CLIP
from hmnet.video.smoothing import Smoother, Smoothing

VIEW = "(document.querySelector('#motion[data-films]') ?? document.querySelector('#motion [data-films]'))"
ROOT = (
    "(document.querySelector('#motion').hmnet ? document.querySelector('#motion') : "
    "[...document.querySelectorAll('#motion *')].find((one) => one.hmnet))"
)
PICTURE = "document.querySelector('#motion [data-view=picture]').toDataURL()"


def open_tab(page):
    page.get_by_role("tab", name="Video").click()
    page.wait_for_function(f"{ROOT} !== undefined")
    return page


@pytest.fixture
def tab(page):
    return open_tab(page)


@pytest.fixture
def film(tab):
    """The rendered example, followed, paused."""
    if not CLIP.is_file():
        pytest.skip("no clip is shipped")
    tab.click("#motion-example")
    tab.wait_for_function(f"{VIEW} !== null")
    pause(tab)
    return tab


def pause(page):
    page.wait_for_function("document.querySelector('#motion [data-act=play]').textContent === 'Pause'")
    page.click("#motion [data-act=play]")


def go_to(page, frame: int):
    slider = page.locator("#motion .motion-track input")
    slider.evaluate(
        "(one, at) => { one.value = at; one.dispatchEvent(new Event('input', {bubbles: true})); }", str(frame)
    )
    page.wait_for_function(
        f"document.querySelector('.motion-now').textContent.includes('frame {frame + 1} of')"
    )


def test_the_example_is_followed_and_scrubbed(film):
    assert "frames, 15 a second" in film.inner_text("#motion-progress")
    go_to(film, 3)
    first, words = film.evaluate(PICTURE), film.inner_text(".motion-now")
    go_to(film, 40)
    assert film.evaluate(PICTURE) != first and film.inner_text(".motion-now") != words
    assert "2.6" in film.inner_text(".motion-now")
    # The mesh goes with the person, who comes nearer.
    scales = film.evaluate(f"[3, 40].map((at) => {ROOT}.hmnet.film().track[at].raw.camera[0])")
    assert scales[1] > 1.2 * scales[0]
    film.locator("#motion .motion-track input").press("ArrowRight")
    film.wait_for_function("document.querySelector('.motion-now').textContent.includes('frame 42 of')")
    assert not film.problems


def test_switches_change_the_picture_without_the_server(film):
    go_to(film, 20)
    asked = []
    film.on("request", lambda request: asked.append(request.url))
    for name in ("regularised", "smooth", "parts"):
        before = film.evaluate(PICTURE)
        film.click(f"#motion [data-toggle={name}]")
        film.wait_for_function(f"(before) => {PICTURE} !== before", arg=before)
    before = film.evaluate(PICTURE)
    film.locator("#motion .opacity input").fill("0")
    film.wait_for_function(f"(before) => {PICTURE} !== before", arg=before)
    assert not [url for url in asked if not url.startswith("data:")] and not film.problems


def test_smoothing_is_the_library_s(film, predictor):
    """The browser's filter and `hmnet.video.smoothing` give the same meshes and cameras."""
    track = film.evaluate(
        f"{ROOT}.hmnet.film().track.slice(0, 12).map(({{seconds, raw, smooth}}) => "
        "({seconds, raw: [[...raw.points], raw.camera], smooth: [[...smooth.points], smooth.camera]}))"
    )
    smoother = Smoother(predictor, Smoothing())
    for moment in track:
        points = smoother._body(np.reshape(moment["raw"][0], (-1, 3)), moment["seconds"])
        camera = smoother._camera(np.array(moment["raw"][1]), moment["seconds"])
        np.testing.assert_allclose(np.reshape(moment["smooth"][0], (-1, 3)), points, atol=1e-5)
        np.testing.assert_allclose(moment["smooth"][1], camera, rtol=1e-6)


def test_playing_goes_on_by_itself(film):
    go_to(film, 5)
    film.click("#motion [data-act=play]")
    film.wait_for_function("!document.querySelector('.motion-now').textContent.includes('frame 6 of')")
    pause(film)


def test_a_file_that_is_no_video_gets_a_sentence(tab, tmp_path):
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear reader,")
    tab.set_input_files("#motion-clip input[type=file]", str(letter))
    tab.get_by_text("not a video this program can read").wait_for()


def test_a_clip_that_is_too_long_gets_a_sentence(tab, tmp_path):
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=2)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(26):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        container.mux(stream.encode())
    tab.set_input_files("#motion-clip input[type=file]", str(path))
    tab.get_by_text("expected at most 10 s").wait_for()


def test_without_a_clip_there_is_nothing_to_save(tab):
    tab.click("#motion-animation")
    tab.get_by_text("nothing to save yet").wait_for()


def test_a_movement_is_taken_along(film):
    with film.expect_download() as waiting:
        film.click("#motion-animation")
    assert waiting.value.suggested_filename == "humanmeshnet_movement.glb"
    with open(waiting.value.path(), "rb") as file:
        assert file.read(4) == b"glTF"


# --- the camera


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """The rendered clip as the file that Chromium plays for a camera."""
    path = tmp_path_factory.mktemp("camera") / "walk.mjpeg"
    with av.open(str(CLIP)) as source:
        write_film(path, source.decode(video=0))
    return path


@pytest.fixture
def with_camera(browser, served, films):
    """Opens the tab in a browser that has a camera; `grants`: whether the visitor allows it."""
    opened = []

    def open_it(grants: bool):
        instance = launch_with_camera(browser, films, grants)
        opened.append(instance)
        page = instance.new_page()
        page.set_default_timeout(45_000)
        page.asked = []
        page.on("request", lambda request: page.asked.append(urlsplit(request.url).path))
        page.goto(served)
        page.wait_for_function("document.querySelector('#viewer [data-draws], #viewer[data-draws]') !== null")
        return open_tab(page)

    yield open_it
    for instance in opened:
        instance.close()


def test_the_mesh_follows_whoever_is_before_the_camera(with_camera):
    page = with_camera(grants=True)
    page.get_by_role("button", name="Start camera").click()
    page.wait_for_function(f"Number({ROOT}.dataset.rate) > 0 && {ROOT}.hmnet.shown().person !== null")
    assert "frames a second" in page.inner_text(".motion-say")
    box = json.loads(page.evaluate(f"{ROOT}.dataset.box"))
    picture = page.evaluate(PICTURE)
    page.wait_for_function(f"(box) => {ROOT}.dataset.box !== box", arg=json.dumps(box, separators=(",", ":")))
    page.wait_for_function(f"(before) => {PICTURE} !== before", arg=picture)
    page.get_by_role("button", name="Stop camera").click()
    page.wait_for_timeout(500)
    asked = len(page.asked)
    page.wait_for_timeout(1000)
    assert len(page.asked) == asked, "a camera that is off sends nothing"
    assert "camera is off" in page.inner_text(".motion-say")


def test_leaving_the_tab_ends_the_camera(with_camera):
    page = with_camera(grants=True)
    page.get_by_role("button", name="Start camera").click()
    page.wait_for_function(f"Number({ROOT}.dataset.rate) > 0")
    page.get_by_role("tab", name="Demo").click()
    page.get_by_role("tab", name="Video").click()
    page.get_by_role("button", name="Start camera").wait_for()


def test_a_camera_that_is_not_allowed_gets_a_sentence(with_camera):
    page = with_camera(grants=False)
    page.get_by_role("button", name="Start camera").click()
    page.get_by_text("The camera was not allowed").wait_for()
