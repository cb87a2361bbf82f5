"""The effect of Eq. 3: the curves agree with what `evaluate` measures on another way."""

import pytest
from matplotlib.figure import Figure

from hmnet import evaluate
from hmnet.errors import CheckpointError
from hmnet.figures import regulariser


@pytest.fixture(scope="module")
def made(checkpoint, shards):
    return regulariser.make(checkpoint, shards)


def test_the_curves_start_where_evaluate_measures(made, checkpoint, shards):
    result, _ = made
    errors = evaluate.pose_errors(checkpoint, shards)
    for name in ("surface", "roughness"):
        curve = result["with"]["iterations"][name]
        assert curve[0] == pytest.approx(errors[f"raw {name}"].mean(), rel=1e-4)
        assert curve[1] == pytest.approx(errors[name].mean(), rel=1e-4)


def test_both_sweeps_meet(made):
    result, _ = made
    assert result["images"] == 3 and result["iterations"] == list(range(11))
    assert result["strengths"][0] == 0 and result["strengths"][-1] == 1
    for network in regulariser.TRAINED:
        for name in regulariser.MEASURES:
            iterations, strength = (result[network][sweep][name] for sweep in ("iterations", "strength"))
            assert len(iterations) == len(strength) == 11
            assert strength[0] == pytest.approx(iterations[0])
            assert strength[-1] == pytest.approx(iterations[1])
    assert result["with"] != result["without"]


def test_true_meshes_are_a_line_without_error(made):
    truth = made[0]["truth"]
    assert truth.keys() == {"roughness", "normal deviation"}
    # The drawn people's truth is the template under 10 mm of noise: rougher than what a network answers.
    assert truth["roughness"] > made[0]["with"]["iterations"]["roughness"][0]


def test_the_figure_has_its_plots_and_meshes(made):
    _, figure = made
    assert isinstance(figure, Figure) and len(figure.axes) == 6 + 8
    assert sum(bool(axes.images) for axes in figure.axes) == 8
    assert all(axes.get_ylabel() in ("mm", "degrees") for axes in figure.axes if axes.lines)


def test_weights_without_the_other_network_are_refused(checkpoint_folder, shards):
    alone = evaluate.load_checkpoint(checkpoint_folder)
    with pytest.raises(CheckpointError):
        regulariser.make(alone, shards)
