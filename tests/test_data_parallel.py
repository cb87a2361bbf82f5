"""Data parallelism: two processes do what one does on their batches together, and stop together."""

import argparse
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from hmnet import parallel
from hmnet.errors import HMNetError
from hmnet.trainer import Trainer, feed, load_state

CPU = torch.device("cpu")
BATCH, STEPS = 4, 6
ALIKE = partial(torch.testing.assert_close, rtol=1e-12, atol=1e-14)


class Points(Dataset):
    """Batch k: `joined` times BATCH points (N, 3) and what is to be learnt of them (N, 1), float64."""

    def __init__(self, joined: int = 1):
        self.joined = joined

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        numbers = range(step * self.joined, (step + 1) * self.joined)
        points = np.concatenate([np.random.default_rng(k).normal(0, 1, (BATCH, 3)) for k in numbers])
        return points, points.sum(1, keepdims=True) ** 2


class Recording(Trainer):
    """A trainer that keeps its first gradient and its learning rates."""

    gradients, rates = None, ()

    def _descend(self, loss: float) -> None:
        self.gradients = self.gradients or [p.grad.clone() for p in self.network.parameters()]
        self.rates += (self.optimiser.param_groups[0]["lr"],)
        super()._descend(loss)


def trained(
    folder: Path, joined: int = 1, spoil: dict[int, Callable] | None = None, pause: float = 0,
    network: nn.Module | None = None, **changed,
) -> dict:  # fmt: skip
    """What is left of a run of STEPS steps with a running number in its loss, and what it said if it failed.

    joined: how many batches make one. spoil: by step, what is made of the loss. network: other than a small
    one in float64.
    """
    torch.manual_seed(parallel.rank())
    folder.mkdir(exist_ok=True, parents=True)
    given = {"images": 2 * BATCH * STEPS, "minutes": 60, "rate": 1e-2, "averaging": 0.9, "resume": False}
    if network is None:
        network = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    balance = {"mean": 1.0}
    trainer = Recording(
        network, argparse.Namespace(output=folder, **given | changed), device=CPU, balance=balance
    )

    def loss_of(points: Tensor, target: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        time.sleep(pause)
        error = (network(points) - target).square().mean()
        weight = balance["mean"]
        balance["mean"] = 0.9 * weight + 0.1 * error.item()
        change = (spoil or {}).get(trainer.step, lambda loss: loss)
        return change(error * weight), {"error": error}

    message = None
    try:
        trainer.fit(feed(Points(joined), trainer.step, 0, CPU), loss_of, lambda: {"validated": 1.0})
    except HMNetError as error:
        message = str(error)
    numbers = {name: getattr(trainer, name) for name in ("step", "images", "spent", "rates", "gradients")}
    weights = {"network": dict(network.state_dict()), "averaged": trainer.averaged}
    return numbers | weights | {"balance": dict(balance), "message": message}


def normalised() -> nn.Module:
    return nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1)).double()


def take_part(rank: int, port: int, folder: Path) -> None:
    """One of two processes: all that the tests look at, in `folder`/RANK.pt."""
    places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", **{name: str(value) for name, value in places.items()}}
    torch.set_num_threads(1)
    second = rank == 1
    with parallel.joined(CPU):
        made = {
            "whole": trained(folder / "whole"),
            "loss": trained(folder / "loss", spoil={3: lambda x: x * float("nan")} if second else None),
            "infinite": trained(folder / "infinite", spoil={0: lambda x: x / 0} if second else None),
            # The root of nothing: the value is fine, its slope is not.
            "slope": trained(folder / "slope", spoil={0: lambda x: x + (x * 0).sqrt()} if second else None),
            "minutes": trained(folder / "minutes", images=None, minutes=0.005, pause=0.02 if second else 0),
            "normalised": trained(folder / "normalised", network=normalised()),
        }
        # Only the first process finds the state, as on machines that share no disk.
        part = trained(folder / "part", images=2 * BATCH * 3)
        made["part"] = part
        home = folder / ("elsewhere" if second else "part")
        made["resumed"] = trained(home, images=2 * BATCH * 5, resume=True)
        try:
            trained(folder / "nothing", resume=True)
        except HMNetError as error:
            made["no state"] = str(error)
        shared = parallel.share_batch_norm(normalised(), torch.device("cuda"))
        made["shared"] = [type(shared[0]).__name__, list(shared.state_dict())]
        torch.save(made, folder / f"{rank}.pt")
        if second:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            trained(folder / "alone")
        except HMNetError as error:
            (folder / "alone.txt").write_text(str(error))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where two processes left what they came to."""
    folder, port = tmp_path_factory.mktemp("two"), free_port()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=take_part, args=(rank, port, folder)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(240)
        process.kill()
    return folder


@pytest.fixture(scope="module")
def two(folder) -> list[dict]:
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def test_two_processes_train_as_one_does_on_their_batches_together(two, tmp_path):
    one = trained(tmp_path, joined=2)
    for made in (process["whole"] for process in two):
        assert (made["step"], made["images"]) == (one["step"], one["images"]) == (STEPS, 2 * BATCH * STEPS)
        assert made["rates"] == one["rates"] and len(made["rates"]) == STEPS
        ALIKE(made["gradients"], one["gradients"])
        ALIKE(made["network"], one["network"])
        ALIKE(made["averaged"], one["averaged"])
        assert made["balance"]["mean"] == pytest.approx(one["balance"]["mean"], rel=1e-12)
    assert one["balance"]["mean"] != 1 and one["gradients"][0].abs().min() > 0


@pytest.mark.parametrize("run", ["whole", "minutes", "normalised", "resumed"])
def test_all_that_moves_is_the_same_in_both(run, two):
    first, second = (process[run] for process in two)
    for name in ("step", "images", "spent", "rates", "balance", "message"):
        assert first[name] == second[name], name
    for kind in ("network", "averaged"):
        for name, value in first[kind].items():
            assert torch.equal(value, second[kind][name]), name


def test_the_first_process_alone_writes(folder, two):
    assert {path.name for path in (folder / "whole").iterdir() if "events" not in path.name} == {
        "log.jsonl", "state.pt"
    }  # fmt: skip
    assert len((folder / "whole" / "log.jsonl").read_text().splitlines()) == 1
    assert len(list((folder / "whole").glob("*events*"))) <= 1
    state = load_state(folder / "whole" / "state.pt")
    assert all(
        torch.equal(value, two[1]["whole"]["network"][name]) for name, value in state["network"].items()
    )


@pytest.mark.parametrize(
    "run, said",
    [("loss", "loss is nan at step 3"), ("infinite", "loss is inf at step 0"),
     ("slope", "gradient is nan at step 0")],
)  # fmt: skip
def test_what_is_no_number_in_one_process_stops_both(run, said, two, folder):
    for made in (process[run] for process in two):
        assert said in made["message"] and "lower --rate" in made["message"]
        assert all(torch.isfinite(value).all() for value in made["network"].values())
    assert not (folder / run / "state.pt").exists()


def test_a_budget_of_minutes_ends_all_at_the_same_step(two):
    made = two[0]["minutes"]
    assert made["step"] >= 3 and made["spent"] >= 0.3 and made["message"] is None


def test_running_statistics_on_a_cpu_are_means_over_processes(two):
    mean = torch.zeros(3, dtype=torch.float64)
    for step in range(STEPS):
        mean = 0.9 * mean + 0.1 * torch.from_numpy(Points(2)[step][0]).mean(0)
    ALIKE(two[0]["normalised"]["network"]["0.running_mean"], mean)


def test_on_cuda_batch_normalisation_is_shared_under_the_same_names(two):
    assert two[0]["shared"] == ["SyncBatchNorm", list(normalised().state_dict())]


def test_a_resumed_run_goes_on_in_both_from_the_state_of_the_first(two, tmp_path):
    assert [process["part"]["step"] for process in two] == [3, 3]
    for made in (process["resumed"] for process in two):
        assert (made["step"], made["images"], len(made["rates"])) == (5, 2 * BATCH * 5, 2)
    trained(tmp_path, joined=2, images=2 * BATCH * 3)
    ALIKE(
        two[1]["resumed"]["network"],
        trained(tmp_path, joined=2, images=2 * BATCH * 5, resume=True)["network"],
    )


def test_a_missing_state_is_told_in_both(two):
    assert "No training state" in two[0]["no state"] and two[0]["no state"] == two[1]["no state"]


def test_a_process_that_is_killed_stops_the_other_with_a_sentence(folder, two):
    assert "Another process of this run is gone" in (folder / "alone.txt").read_text()


def test_large_gradients_travel_in_buckets(monkeypatch):
    monkeypatch.setattr(parallel, "BUCKET", 10)
    sizes = [
        [t.numel() for t in bucket]
        for bucket in parallel._buckets([torch.zeros(n) for n in (4, 6, 1, 30, 2)])
    ]
    assert sizes == [[4, 6], [1], [30], [2]] and list(parallel._buckets([])) == []


@pytest.mark.parametrize(
    "given, said",
    [
        ({}, "RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT not: start with `torchrun"),
        ({"RANK": "0", "LOCAL_RANK": "0"}, "MASTER_ADDR, MASTER_PORT not"),
        ({"RANK": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, "RANK 2, .* name no p"),
        ({"RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "a", "MASTER_PORT": "x"}, "MASTER_PORT x name no"),
        ({"RANK": "-1", "LOCAL_RANK": "0", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, "RANK -1, .* name no"),
    ],
)  # fmt: skip
def test_an_incomplete_environment_is_one_sentence(given, said):
    with pytest.raises(HMNetError, match=said):
        parallel.place_in({"WORLD_SIZE": "2", **given})


def test_one_process_needs_no_master():
    assert parallel.place_in({}) == parallel.place_in({"WORLD_SIZE": "1"}) == parallel.Place(0, 1, 0)
    assert (parallel.rank(), parallel.processes()) == (0, 1)


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    assert parallel.local_device("cuda:3") == "cuda:3"
    places = {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    assert [parallel.local_device(name) for name in ("cpu", "cuda")] == ["cpu", "cuda:1"]
    for wrong in ("cuda:3", "mps"):
        with pytest.raises(HMNetError, match=f"not {wrong}"):
            parallel.local_device(wrong)


COMMAND_LINE = """
import os, sys, torch
from hmnet import stage_pose, trainer
from hmnet.__main__ import main
stage_pose.EXAMPLES, stage_pose.HELD_OUT = 16, 4
fit = trainer.Trainer.fit
def kept(self, *given):
    fit(self, *given)
    moved = [self.network.state_dict(), self.averaged, self.balance]
    torch.save(moved, os.environ["KEPT"] + os.environ["RANK"])
trainer.Trainer.fit = kept
sys.exit(main())
"""


def torchrun(script: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """That command line in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
               script, "train", "--device", "cpu", *arguments]  # fmt: skip
    root = str(Path(__file__).parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": root, **environment}
    return subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True, timeout=300
    )


def test_torchrun_trains_a_stage_in_two_processes(tmp_path):
    pytest.importorskip("numba", reason="training data need requirements-dev.txt")
    script, output = tmp_path / "command_line.py", tmp_path / "maps"
    script.write_text(COMMAND_LINE)
    done = torchrun(
        script, "--stage", "maps", "--output", output, "--images", 16, "--batch", 4, "--pooling", 8,
        KEPT=str(tmp_path / "rank"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.rglob("*.pt")] == ["state.pt"]
    state = load_state(output / "state.pt")
    assert (state["step"], state["images"]) == (2, 16)
    first, second = (torch.load(tmp_path / f"rank{rank}") for rank in range(2))
    for one, other in zip(first, second, strict=True):
        for name, value in one.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[name])), name
    assert all(torch.equal(value, first[0][name]) for name, value in state["network"].items())
    assert len(re.findall(r"\d+/16 ", done.stderr)) > 0, "the first process shows its progress"
