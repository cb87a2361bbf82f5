"""The recipe: what waits for what, what is left out when it is done, and a failure that stops all."""

import argparse
import sys
import time
from pathlib import Path

import pytest

from hmnet import recipe, train
from hmnet.errors import HMNetError
from hmnet.recipe import PLANS, Runner, Step, steps_of

PYTHON = (sys.executable, "-c")


def run(folder: Path, *steps: Step) -> None:
    Runner(list(steps), folder, PYTHON).run()


def writing(folder: Path, name: str, *after: str, state: Path | None = None, word: str = "") -> Step:
    """A step that adds its arguments to a file of its name."""
    code = f"import sys; print(sys.argv[1:], file=open({str(folder / name)!r}, 'a'))"
    return Step(name, (code, *([word] if word else [])), after, state)


def options(**changed) -> argparse.Namespace:
    given = {"data": Path("d"), "runs": Path("r"), "output": Path("o"), "backgrounds": None, "clothes": None,
             "poses": [], "workers": 16, "device": None, "seed": 0, "revision": "abc"}  # fmt: skip
    return argparse.Namespace(**given | changed)


@pytest.mark.parametrize("plan", PLANS)
def test_every_step_is_a_command_that_is_understood_and_waits_for_what_it_reads(plan):
    steps = steps_of(PLANS[plan], options(poses=["p", "q"], backgrounds="b", device="cuda"))
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    known, made = set(), {"d/train": "pictures", "d/test": "test-pictures", "o": "weights"}
    for step in steps:
        assert known.issuperset(step.after), "no step waits for a later one"
        command, *rest = step.arguments
        if command == "train":
            values = parser.parse_args(rest)
            made[str(values.output)] = step.name
            given = [values.segmenter, values.initial, *(values.data or [])]
            # pack finds out by itself what a start has started from; its data are those of the crops.
            for source in [str(path).removesuffix("/state.pt") for path in given if path]:
                assert made[source] in ancestors(step, steps), f"{step.name} reads {source}"
        known.add(step.name)
    assert {"pictures", "maps"} == {step.name for step in steps if not step.after}, "they run side by side"


def ancestors(step: Step, steps: list[Step]) -> set[str]:
    by_name = {other.name: other for other in steps}
    return set(step.after).union(*(ancestors(by_name[name], steps) for name in step.after))


def test_options_reach_the_commands_they_are_for():
    given = options(poses=["p", "q"], backgrounds="b", clothes="c", device="cuda:0", seed=7)
    steps = {step.name: " ".join(step.arguments) for step in steps_of(PLANS["gpu"], given)}
    assert "--seed 7" in steps["pictures"]
    assert "--backgrounds b --clothes c --poses p q" in steps["test-pictures"]
    assert "--poses p q" in steps["maps"] and "--device cuda:0" in steps["joint"]
    changed = recipe.plan_of(argparse.Namespace(**dict.fromkeys(recipe.COUNTS), plan="gpu"))
    assert changed == PLANS["gpu"]
    counts = dict.fromkeys(recipe.COUNTS) | {"maps": 12}
    assert recipe.plan_of(argparse.Namespace(**counts, plan="gpu")).maps == 12


def test_what_is_done_is_left_out_and_what_changed_is_done_anew_with_all_that_follows(tmp_path, capsys):
    first, second = writing(tmp_path, "one"), writing(tmp_path, "two", "one", state=tmp_path / "state.pt")
    run(tmp_path, first, second)
    run(tmp_path, first, second)
    assert "[two] is done already" in capsys.readouterr().out
    assert (tmp_path / "two").read_text() == "[]\n"
    (tmp_path / "state.pt").touch()
    run(tmp_path, writing(tmp_path, "one", word="more"), second)
    assert (tmp_path / "one").read_text() == "[]\n['more']\n"
    assert (tmp_path / "two").read_text() == "[]\n[]\n", "from the start: its state was of other inputs"


def test_a_step_that_was_cut_short_goes_on_from_its_state_unless_it_changed(tmp_path):
    state, words = tmp_path / "state.pt", tmp_path / "words"
    code = (
        f"import sys, pathlib; pathlib.Path({str(state)!r}).touch(); "
        f"print(sys.argv[1:], file=open({str(words)!r}, 'a')); sys.exit('--resume' not in sys.argv)"
    )
    cut = Step("cut", (code,), (), state)
    with pytest.raises(HMNetError, match="Step cut failed with exit code 1"):
        run(tmp_path, cut)
    with pytest.raises(HMNetError, match="Step cut failed"):
        run(tmp_path, Step("cut", (code, "other"), (), state))
    run(tmp_path, Step("cut", (code, "other"), (), state))
    assert words.read_text() == "[]\n['other']\n['other', '--resume']\n"


def test_a_failure_stops_all_and_says_where_it_was(tmp_path):
    slow = Step("slow", ("import time; time.sleep(60)",))
    bad = Step("bad", ("import sys; print('no room left'); sys.exit(3)",))
    began = time.perf_counter()
    with pytest.raises(HMNetError, match=r"Step bad failed with exit code 3; .*bad\.log: no room left"):
        run(tmp_path, slow, bad, writing(tmp_path, "never", "bad"))
    assert time.perf_counter() - began < 20
    assert not (tmp_path / "never").exists() and not list((tmp_path / "done").iterdir())


def test_counts_below_one_are_one_sentence(tmp_path, capsys):
    folders = [f"--{name}={tmp_path / name}" for name in ("data", "runs", "output")]
    assert recipe.main(["--plan", "small", *folders, "--maps", "0"]) == 2
    assert capsys.readouterr().err == "hmnet: --workers and all counts must be 1 or more.\n"
