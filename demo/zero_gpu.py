"""ZeroGPU, a Space's GPU that is lent for one call at a time; on all other machines nothing happens here.

The package `spaces`, which Hugging Face installs on such a Space, lets networks be put on "cuda" before there
is a GPU, and runs a function that it decorates in a process forked from this one, which has it. It has to be
imported before torch looks for CUDA.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hmnet.errors import HMNetError, NoGPUError

if TYPE_CHECKING:
    from demo.session import Models

VARIABLE = "SPACES_ZERO_GPU"
"""Set to "true" by Hugging Face on a Space with ZeroGPU."""
SECONDS = 15
"""Of a loan at most: the first of a process moves the networks too. Shorter ones are granted sooner."""

if os.environ.get(VARIABLE, "").lower() in ("1", "true"):
    import spaces
else:
    spaces = None


def lend(*models: "Models") -> None:
    """On ZeroGPU, replaces the methods that run networks by such as run them where the GPU is lent to."""
    if spaces is None:
        return
    # Not the engine's methods, several of which a photo needs: each would be a loan.
    names = ("predict", "with_parts", "features")
    methods = {}
    for each in models:
        methods |= {(each.predictor, name): getattr(each.predictor, name) for name in names}
        methods[each.comparison, "answers"] = each.comparison.answers
    call = _on_lent_gpu([*methods.values()])
    for index, (owner, name) in enumerate(methods):
        setattr(owner, name, _told(call, index))


def _on_lent_gpu(methods: list[Callable]) -> Callable[..., Any]:
    """One function for all methods, by their index: `spaces` keeps a process for each that it decorates.

    It returns an HMNetError instead of raising it: raised, it would arrive without its sentence.
    """

    @spaces.GPU(duration=SECONDS)
    def call(index: int, *arguments: object, **named: object) -> object:
        import torch

        # In a forked process the threads of the other one's pool are missing, and more than one would hang.
        torch.set_num_threads(1)
        try:
            return methods[index](*arguments, **named)
        except HMNetError as error:
            return error

    return call


def _told(call: Callable[..., Any], index: int) -> Callable[..., Any]:
    """One method again, with its errors; NoGPUError where the GPU was not to be had, or not long enough."""
    import gradio as gr

    def method(*arguments: object, **named: object) -> object:
        try:
            answer = call(index, *arguments, **named)
        except gr.Error as error:
            raise NoGPUError(
                f"The lent GPU gave no answer ({error.message}): try again in a minute."
            ) from error
        if isinstance(answer, HMNetError):
            raise answer
        return answer

    return method
