"""The wiring that needs no browser: which files are deleted, what the server may hand out."""

from demo.examples import FOLDER
from demo.ui import _forget, build_app, launch_options


def test_only_uploads_in_the_cache_are_deleted(tmp_path):
    cache = tmp_path / "cache"
    upload, own = cache / "abc" / "photo.jpg", tmp_path / "assets" / "photo.jpg"
    outside = cache / "abc" / ".." / ".." / "assets" / "photo.jpg"
    for file in (upload, own):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"photo")
    for file in (upload, own, outside):
        _forget(file, cache)
    assert not upload.exists()
    assert own.exists()
    _forget(upload, cache)  # a second time does no harm


def test_server_hands_out_the_examples_and_nothing_more():
    assert launch_options()["allowed_paths"] == [str(FOLDER)]


def test_page_without_examples_can_be_built(predictor, tmp_path):
    page = build_app(predictor, tmp_path)
    names = [function.api_name for function in page.fns.values()]
    assert "reconstruct" in names and "show_first_example" not in names
    assert page.delete_cache is not None
