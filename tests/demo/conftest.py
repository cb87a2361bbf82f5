"""Fixtures of the page's tests; the predictor is made up, so that they need no weights."""

import pytest
from fake_predictor import FakePredictor, write_example

from demo.examples import load_example
from demo.handlers import Lab, reconstruct


@pytest.fixture(scope="session")
def predictor():
    return FakePredictor()


@pytest.fixture(scope="session")
def body(predictor):
    return predictor.body


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    return load_example(write_example(tmp_path_factory.mktemp("examples"), "walker", seed=1))


@pytest.fixture(scope="session")
def of_example(predictor, example):
    """A session that looks at a rendered example."""
    return reconstruct(predictor, example.photo, example, Lab())


@pytest.fixture(scope="session")
def of_photo(predictor, example):
    """A session that looks at a photo whose truth is not known."""
    return reconstruct(predictor, example.photo, None, Lab())
