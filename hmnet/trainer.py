"""The training loop: one network, its optimiser, its averaged weights, its budget and the log."""

import argparse
import functools
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from hmnet import parallel
from hmnet.errors import CheckpointError, HMNetError
from hmnet.run_log import open_log
from hmnet.weights_file import read_weights

DECAYING = functools.partial(torch.optim.AdamW, weight_decay=0.01, fused=True)
WARMUP, WARMUP_SHARE = 200, 0.1
"""Steps over which the learning rate rises; in a short run it is up after this share of the budget."""
SAVE_SECONDS, VALIDATE_SECONDS = 120, 300


class Trainer:
    """One network, its optimiser, its averaged weights, and a budget of images or minutes.

    The learning rate rises linearly over the first steps and falls by a cosine over the budget; weights are
    averaged exponentially (EMA), and the averaged ones are what is kept for use. With a budget of images a
    run that was killed and resumed ends with the weights of an uninterrupted one, because everything that
    moves is in the state and batch k depends on nothing but the seed and k.

    Of several processes (`hmnet.parallel`) each trains on a batch of its own, and all take the same steps:
    they start from equal weights, and what counts is the mean over processes of gradients, losses, running
    numbers and clock. Batch normalisation is over all batches of a step on CUDA; on a CPU it is over each
    process's own, and its running statistics are averaged. The first process alone validates, logs and saves.
    Resumed with another number of processes a run goes on, but not to the bit.

    balance: running numbers of the loss; they belong to the state and are restored in place.
    optimiser: makes one from parameters and a rate; of that rate a group of them may have a "share".
    """

    def __init__(self, network: nn.Module, options: argparse.Namespace,
                 device: torch.device | str = "cpu", balance: dict[str, float] | None = None,
                 optimiser: Callable[..., torch.optim.Optimizer] = DECAYING):  # fmt: skip
        self.device = torch.device(device)
        network.load_state_dict(parallel.from_first(network.state_dict))
        network = parallel.share_batch_norm(network, self.device)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.options = options
        self.balance = {} if balance is None else balance
        self.optimiser = optimiser(network.parameters(), options.rate)
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
        state = parallel.from_first(lambda: load_state(self.state_file))
        self.network.load_state_dict(state["network"])
        self.averaged = {name: value.to(self.device) for name, value in state["averaged"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.images, self.spent = state["step"], state["images"], state["spent"]
        self.balance.update(state.get("balance", {}))
        torch.set_rng_state(state["random"])

    def save(self) -> None:
        """Write the whole state, at once or not at all; of several processes the first does."""
        if parallel.rank():
            return
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
        last, saved, validated = time.perf_counter(), self.spent, self.spent
        with open_log(self.options.output, self.step, self.images, self.options.images) as log:
            while self.share < 1:
                began = time.perf_counter()
                batch = [tensor.to(self.device, non_blocking=True) for tensor in next(batches)]
                waited = time.perf_counter() - began
                self._schedule(self.share)
                self.network.train()
                loss, terms = loss_of(*batch)
                self._differentiate(loss)
                now = time.perf_counter()
                self.spent, last = self.spent + now - last, now
                figures = self._agree({name: value.item() for name, value in {"loss": loss, **terms}.items()})
                self._descend(figures["loss"])
                count = len(batch[0]) * parallel.processes()
                self.step += 1
                self.images += count
                rate = self.optimiser.param_groups[0]["lr"]
                log.trained(count, figures, rate, time.perf_counter() - began, waited, self._minutes_left())
                if self.spent - saved > SAVE_SECONDS:
                    saved = self.spent
                    self.save()
                if self.spent - validated > VALIDATE_SECONDS or self.share >= 1:
                    validated = self.spent
                    log.validated(self.spent / 60, self._validated(validate))
        self.save()

    def _differentiate(self, loss: Tensor) -> None:
        """The gradient of the mean loss over all processes."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        parallel.average(gradients + parallel.running_statistics(self.network))

    def _agree(self, figures: dict[str, float]) -> dict[str, float]:
        """The mean of the figures over all processes; running numbers and clock become means as well."""
        balance = {f"balance {name}": value for name, value in self.balance.items()}
        agreed = parallel.mean_of({"spent": self.spent, **balance, **figures}, self.device)
        self.spent = agreed["spent"]
        self.balance.update({name: agreed[f"balance {name}"] for name in self.balance})
        return {name: agreed[name] for name in figures}

    def _descend(self, loss: float) -> None:
        """One step of the optimiser, unless loss or gradient is no number: in all processes or in none."""
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        for what, value in (("loss", loss), ("gradient", norm.item())):
            if not math.isfinite(value):
                kept = f"{self.state_file} keeps the last good state: resume it with a lower --rate"
                if not self.state_file.is_file():
                    kept = "no state was saved yet: start anew with a lower --rate"
                raise HMNetError(f"The {what} is {value} at step {self.step}; {kept}.")
        self.optimiser.step()
        self._average()

    def _minutes_left(self) -> str:
        """How long the run goes on, where that was asked for; a budget of images the bar estimates itself."""
        if self.options.images:
            return ""
        return f"{max(self.options.minutes - self.spent / 60, 0):.1f} min left"

    def _validated(self, validate) -> dict[str, float]:
        """Validation figures of the averaged weights; the first process's alone."""
        if validate is None or parallel.rank():
            return {}
        current = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.network.load_state_dict(self.averaged)
        self.network.eval()
        with torch.inference_mode():
            figures = validate()
        self.network.load_state_dict(current)
        return figures

    def _schedule(self, share: float) -> None:
        rate = self.options.rate * min(1.0, max((self.step + 1) / WARMUP, share / WARMUP_SHARE))
        rate *= 0.5 * (1 + math.cos(math.pi * min(share, 1.0))) * 0.99 + 0.01
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group.get("share", 1.0)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.options.averaging, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value, 1 - decay)
            else:
                self.averaged[name].copy_(value)


class _StepsFrom:
    """The numbers of the batches to make: endless, from the step that a run goes on with.

    Of W processes number r makes batch k W + r for step k.
    """

    def __init__(self, first: int):
        self.first, self.rank, self.processes = first, parallel.rank(), parallel.processes()

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.first * self.processes + self.rank, self.processes)


def feed(batches: Dataset, first: int, workers: int, device: torch.device) -> Iterator:
    """The batches from step `first` on, made by `workers` processes (0: by this one), always in order.

    batches: batch k as `batches[k]`, a tuple of arrays and a function of k alone, so that neither workers
    nor a restart change what is trained on.
    """
    loader = DataLoader(
        batches, batch_size=None, sampler=_StepsFrom(first), num_workers=workers,
        pin_memory=device.type == "cuda",
        # Else a start would draw from the random state that a resumed run has just been given back.
        generator=torch.Generator(),
        # Forked workers share the pictures that were read; elsewhere they receive a copy.
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )  # fmt: skip
    return iter(loader)


def load_state(path: Path) -> dict:
    """A training state on the CPU; CheckpointError when there is none or it is not one."""
    if not path.is_file():
        raise CheckpointError(f"No training state at {path}: train that stage first.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} is no training state ({error}): train that stage anew.") from error


def load_weights(start: Path) -> dict[str, Tensor]:
    """The weights to start from: the averaged ones of a training state, or those of a .safetensors file.

    Raises CheckpointError when there are none.
    """
    if start.suffix == ".safetensors":
        return {name: value.float() if value.is_floating_point() else value
                for name, value in read_weights(start).items()}  # fmt: skip
    return load_state(start)["averaged"]
