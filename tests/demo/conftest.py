"""Fixtures of the page's tests; the predictor is made up, so that they need no weights."""

import pytest
from fake_predictor import fake_models, write_example

from demo.examples import load_example
from demo.session import reconstruct


@pytest.fixture(scope="session")
def models():
    return fake_models()


@pytest.fixture(scope="session")
def predictor(models):
    return models.predictor


@pytest.fixture(scope="session")
def body(predictor):
    return predictor.body


@pytest.fixture(scope="session")
def topology(predictor):
    return predictor.topology


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    return load_example(write_example(tmp_path_factory.mktemp("examples"), "walker", seed=1))


@pytest.fixture(scope="session")
def of_example(models, example):
    """A session that looks at a rendered example."""
    return reconstruct(models, example.photo, example)


@pytest.fixture(scope="session")
def of_photo(models, example):
    """A session that looks at a photo whose truth is not known."""
    return reconstruct(models, example.photo)
