"""The training loop: one network, its optimiser, its averaged weights, its budget and the log."""

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from hmnet.errors import CheckpointError, HMNetError

WARMUP = 200
SAVE_SECONDS, VALIDATE_SECONDS = 120, 300


class Trainer:
    """One network, its optimiser, its averaged weights, and a budget of images or minutes.

    The learning rate rises linearly over WARMUP steps and falls by a cosine over the budget; weights are
    averaged exponentially (EMA), and the averaged ones are what is kept for use. With a budget of images a
    run that was killed and resumed ends with the weights of an uninterrupted one, because everything that
    moves is in the state and batch k depends on nothing but the seed and k.

    balance: running numbers of the loss; they belong to the state and are restored in place.
    """

    def __init__(self, network: nn.Module, options: argparse.Namespace, groups: list[dict] | None = None,
                 device: torch.device | str = "cpu", balance: dict[str, float] | None = None):  # fmt: skip
        self.device = torch.device(device)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.options = options
        self.balance = {} if balance is None else balance
        self.optimiser = torch.optim.AdamW(groups or network.parameters(), options.rate, weight_decay=0.01)
        self.factors = [group["lr"] / options.rate for group in self.optimiser.param_groups]
        self.averaged = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self.step = self.images = 0
        self.spent = 0.0
        if options.resume:
            self.restore()

    @property
    def state_file(self) -> Path:
        """Where the state is kept."""
        return self.options.output / "state.pt"

    @property
    def share(self) -> float:
        """How much of the budget is used: 1 ends the run."""
        if self.options.images:
            return self.images / self.options.images
        return self.spent / (self.options.minutes * 60)

    def restore(self) -> None:
        """Go on from the saved state; CheckpointError when there is none."""
        state = load_state(self.state_file)
        self.network.load_state_dict(state["network"])
        self.averaged = {name: value.to(self.device) for name, value in state["averaged"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.images, self.spent = state["step"], state["images"], state["spent"]
        self.balance.update(state.get("balance", {}))
        torch.set_rng_state(state["random"])

    def save(self) -> None:
        """Write the whole state, at once or not at all."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "images": self.images,
            "spent": self.spent,
            "balance": dict(self.balance),
            "random": torch.get_rng_state(),
            "options": {k: str(v) for k, v in vars(self.options).items()},
        }
        unfinished = self.options.output / "state.unfinished"
        torch.save(state, unfinished)
        unfinished.replace(self.state_file)

    def fit(self, batches: Iterator, loss_of: Callable[..., tuple[Tensor, dict[str, Tensor]]],
            validate: Callable[[], dict[str, float]] | None = None) -> None:  # fmt: skip
        """Train until the budget is used, saving every two minutes and validating every five.

        batches: tuples of tensors, the first as long as the batch; they come to the device here.
        loss_of: the loss of such a batch, and its terms for the log. Raises HMNetError when the loss or its
        gradient is no number; nothing is saved after that.
        """
        from tqdm import tqdm

        last, saved, validated, waited = time.perf_counter(), self.spent, self.spent, 0.0
        running: dict[str, float] = {}
        with (
            (self.options.output / "log.jsonl").open("a") as log,
            tqdm(unit="image", total=self.options.images, initial=self.images, mininterval=10) as bar,
        ):
            while self.share < 1:
                asked = time.perf_counter()
                batch = [tensor.to(self.device, non_blocking=True) for tensor in next(batches)]
                waited += time.perf_counter() - asked
                self._schedule(self.share)
                self.network.train()
                loss, terms = loss_of(*batch)
                self._descend(loss)
                self.step += 1
                self.images += len(batch[0])
                bar.update(len(batch[0]))
                for name, value in {"loss": loss, **terms}.items():
                    running[name] = 0.98 * running.get(name, value.item()) + 0.02 * value.item()
                now = time.perf_counter()
                self.spent, last = self.spent + now - last, now
                if self.step % 50 == 0:
                    bar.set_postfix_str(self._progress(running))
                if self.spent - saved > SAVE_SECONDS:
                    saved = self.spent
                    self.save()
                if self.spent - validated > VALIDATE_SECONDS or self.share >= 1:
                    row = {"step": self.step, "images": self.images, "minutes": self.spent / 60, **running}
                    # Near 1 when the processes that make the batches cannot keep up with the network.
                    row["waiting"] = waited / max(self.spent - validated, 1e-9)
                    validated, waited = self.spent, 0.0
                    row |= self._validated(validate)
                    print(json.dumps(row), file=log, flush=True)
        self.save()

    def _descend(self, loss: Tensor) -> None:
        """One step of the optimiser, unless loss or gradient is no number."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        for what, value in (("loss", loss.item()), ("gradient", norm.item())):
            if not math.isfinite(value):
                kept = f"{self.state_file} keeps the last good state: resume it with a lower --rate"
                if not self.state_file.is_file():
                    kept = "no state was saved yet: start anew with a lower --rate"
                raise HMNetError(f"The {what} is {value} at step {self.step}; {kept}.")
        self.optimiser.step()
        self._average()

    def _progress(self, running: dict[str, float]) -> str:
        terms = " ".join(f"{name} {value:.4f}" for name, value in running.items())
        if self.options.images:
            return terms
        return f"{terms} {max(self.options.minutes - self.spent / 60, 0):.1f} min left"

    def _validated(self, validate) -> dict[str, float]:
        """Validation figures of the averaged weights."""
        if validate is None:
            return {}
        current = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.network.load_state_dict(self.averaged)
        self.network.eval()
        with torch.inference_mode():
            figures = validate()
        self.network.load_state_dict(current)
        return figures

    def _schedule(self, share: float) -> None:
        rate = self.options.rate * min(1.0, (self.step + 1) / WARMUP)
        rate *= 0.5 * (1 + math.cos(math.pi * min(share, 1.0))) * 0.99 + 0.01
        for group, factor in zip(self.optimiser.param_groups, self.factors, strict=True):
            group["lr"] = rate * factor

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.options.averaging, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value, 1 - decay)
            else:
                self.averaged[name].copy_(value)


class _StepsFrom:
    """The numbers of the batches to make: endless, from the one that a run goes on with."""

    def __init__(self, first: int):
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.first)


def feed(batches: Dataset, first: int, workers: int, device: torch.device) -> Iterator:
    """Batches number `first` and on, made by `workers` processes (0: by this one), always in order.

    batches: batch k as `batches[k]`, a tuple of arrays and a function of k alone, so that neither workers
    nor a restart change what is trained on.
    """
    loader = DataLoader(
        batches, batch_size=None, sampler=_StepsFrom(first), num_workers=workers,
        pin_memory=device.type == "cuda",
        # Forked workers share the pictures that were read; elsewhere they receive a copy.
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )  # fmt: skip
    return iter(loader)


def half_precision(device: torch.device, on_cpu: bool = True) -> torch.autocast:
    """bfloat16 on CUDA, and on a CPU unless `on_cpu` is False."""
    there = device.type == "cuda" or (device.type == "cpu" and on_cpu)
    return torch.autocast(device.type, torch.bfloat16, enabled=there)


def load_state(path: Path) -> dict:
    """A training state on the CPU; CheckpointError when there is none or it is not one."""
    if not path.is_file():
        raise CheckpointError(f"No training state at {path}: train that stage first.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} is no training state ({error}): train that stage anew.") from error
