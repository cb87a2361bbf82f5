"""The wiring that needs no browser: what the server may hand out, what programs may call."""

from fake_predictor import fake_models

from demo.examples import FOLDER
from demo.theme import launch_options
from demo.ui import build_app
from hmnet.figure_sections import FIGURES


def test_server_hands_out_the_examples_the_figures_and_nothing_more():
    assert launch_options()["allowed_paths"] == [str(FOLDER), str(FIGURES)]


def test_page_without_examples_can_be_built(tmp_path):
    page = build_app(fake_models(), tmp_path)
    gallery = next(block for block in page.blocks.values() if block.elem_id == "examples")
    assert gallery.visible is False and len(page.fns) > 30


def test_programs_see_three_endpoints_and_no_inner_listener(tmp_path):
    page = build_app(fake_models(), tmp_path)
    named = page.get_api_info()["named_endpoints"]
    assert set(named) == {"/reconstruct", "/regularise", "/compare"}
