"""The training loop: one network, its optimiser, its averaged weights, the clock and the log."""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from hmnet.errors import CheckpointError, HMNetError

EMA_DECAY = 0.999
WARMUP = 200


class Trainer:
    """One network, its optimiser, its averaged weights, and the clock.

    The learning rate rises linearly over WARMUP steps and falls by a cosine over the time given; weights
    are averaged exponentially (EMA), and the averaged ones are what is kept for use.
    """

    def __init__(self, network: nn.Module, options: argparse.Namespace, groups: list[dict] | None = None):
        self.network = network.to(memory_format=torch.channels_last)
        self.options = options
        self.optimiser = torch.optim.AdamW(groups or network.parameters(), options.rate, weight_decay=0.01)
        self.factors = [group["lr"] / options.rate for group in self.optimiser.param_groups]
        self.averaged = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self.step = self.images = 0
        self.spent = 0.0
        if options.resume:
            self.restore(options.output / "state.pt")

    def restore(self, path: Path) -> None:
        """Go on from a saved state; CheckpointError when there is none."""
        state = load_state(path)
        self.network.load_state_dict(state["network"])
        self.averaged = state["averaged"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.images, self.spent = state["step"], state["images"], state["spent"]
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
            "random": torch.get_rng_state(),
            "options": {k: str(v) for k, v in vars(self.options).items()},
        }
        unfinished = self.options.output / "state.unfinished"
        torch.save(state, unfinished)
        unfinished.replace(self.options.output / "state.pt")

    def fit(self, batches: Iterator, loss_of: Callable[..., tuple[Tensor, dict[str, Tensor]]],
            validate: Callable[[], dict[str, float]] | None = None) -> None:  # fmt: skip
        """Train until the time is spent, saving every two minutes and validating every five."""
        from tqdm import tqdm

        limit = self.options.minutes * 60
        last, saved, validated = time.perf_counter(), self.spent, self.spent
        running: dict[str, float] = {}
        with (
            (self.options.output / "log.jsonl").open("a") as log,
            tqdm(unit="image", initial=self.images, mininterval=10) as bar,
        ):
            while self.spent < limit:
                batch = next(batches)
                self._schedule(self.spent / limit)
                self.network.train()
                loss, terms = loss_of(*batch)
                if not math.isfinite(loss.item()):
                    raise HMNetError(
                        f"The loss is {loss.item()} at step {self.step}: the last good state is in "
                        f"{self.options.output}; resume it with a lower --rate."
                    )
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
                self.optimiser.step()
                self._average()
                self.step += 1
                self.images += len(batch[0])
                bar.update(len(batch[0]))
                for name, value in {"loss": loss, **terms}.items():
                    running[name] = 0.98 * running.get(name, value.item()) + 0.02 * value.item()
                now = time.perf_counter()
                self.spent, last = self.spent + now - last, now
                if self.step % 50 == 0:
                    bar.set_postfix_str(
                        " ".join(f"{k} {v:.4f}" for k, v in running.items())
                        + f" {max(limit - self.spent, 0) / 60:.1f} min left"
                    )
                if self.spent - saved > 120:
                    saved = self.spent
                    self.save()
                if self.spent - validated > 300 or self.spent >= limit:
                    validated = self.spent
                    row = {"step": self.step, "images": self.images, "minutes": self.spent / 60, **running}
                    row |= self._validated(validate)
                    print(json.dumps(row), file=log, flush=True)
        self.save()

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
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value, 1 - decay)
            else:
                self.averaged[name].copy_(value)


def load_state(path: Path) -> dict:
    """A training state; CheckpointError when there is none or it is not one."""
    if not path.is_file():
        raise CheckpointError(f"No training state at {path}: train that stage first.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} is no training state ({error}): train that stage anew.") from error
