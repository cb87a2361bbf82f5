"""The switch "Body | Hand" with what belongs to it: which hand it is, and the examples of either."""

from collections.abc import Sequence

import gradio as gr

from demo.examples import Example
from demo.hands import BODY, HAND, Hands, checked_side

MODES = (("Body", BODY), ("Hand", HAND))
FOUND = "found"
SIDES = (("As found", FOUND), ("Left", "left"), ("Right", "right"))


class HandSwitch:
    """Lays out the switch, and the gallery below the photo, which shows the examples of the chosen mode."""

    def __init__(self, people: tuple[Example, ...], hands: Hands):
        self._examples = {BODY: people, HAND: hands.examples}
        self.there = hands.there

    def lay_out(self) -> None:
        """The two choices; nothing to be seen where there are no weights of hands."""
        if not self.there:
            self.mode, self.side = gr.State(BODY), gr.State(FOUND)
            return
        self.mode = gr.Radio(MODES, value=BODY, label="Reconstruct a", elem_id="mode", min_width=120)
        self.side = gr.Radio(SIDES, value=FOUND, label="Side", elem_id="side", visible=False, min_width=120)

    def lay_out_gallery(self) -> None:
        """The examples of people, at first."""
        people = self._examples[BODY]
        self.gallery = gr.Gallery(
            _shown(people), label="Rendered examples", show_label=False, columns=4, height="auto",
            object_fit="cover", allow_preview=False, buttons=[], visible=bool(people), interactive=False,
            container=False, elem_id="examples",
        )  # fmt: skip

    @property
    def asking(self) -> list:
        """The components that say what is asked for: a mode, and a side of `SIDES`."""
        return [self.mode, self.side]

    @property
    def outputs(self) -> list:
        """Everything that `updates` may set; nothing where there is nothing to switch."""
        return [self.mode, self.side, self.gallery] if self.there else []

    def examples(self, mode: str) -> tuple[Example, ...]:
        """The gallery of a mode."""
        return self._examples[mode]

    def updates(self, mode: str) -> dict:
        """The switch in that mode, its gallery, and the side as it is found."""
        if not self.there:
            return {}
        examples = self.examples(mode)
        return {
            self.mode: mode,
            self.side: gr.update(value=FOUND, visible=mode == HAND),
            self.gallery: gr.update(value=_shown(examples), visible=bool(examples)),
        }

    def found(self) -> dict:
        """The side as it is found: for another hand than the one whose side was said."""
        return {self.side: FOUND} if self.there else {}

    @staticmethod
    def side_of(mode: str, side: str) -> str | None:
        """The side that is asked for: "left", "right" or None."""
        return checked_side(side) if mode == HAND else None


def _shown(examples: Sequence[Example]) -> list[tuple[str, str]]:
    return [(str(example.photo), example.title) for example in examples]
