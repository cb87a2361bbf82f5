"""The lessons under the pictures: a tab each for regulariser, error, parts, joints and variants.

A tab holds its controls and its numbers; the 3D view below shows the panes that belong to it.
"""

import json
from collections.abc import Callable

import gradio as gr

from demo import captions, compare, heat, joints, lab
from demo.bodies import limbs_of
from demo.heat import HeatChoice
from demo.link import Settings
from demo.part_change import PartChange
from demo.session import Lab, Session
from hmnet.body import BodyTemplate

AUTOMATIC = "auto"
OPERATORS = (("Mean of neighbours (Eq. 3)", "average"), ("Taubin, keeps the volume", "taubin"))
SHOW_LAYOUT = "() => window.hmnetViewer?.layout('{name}')"


class Lessons:
    """Lays out the tabs.

    `lab`, `heat` and `change` are the controls whose values make a Lab, a HeatChoice and a PartChange.
    """

    def __init__(self, body: BodyTemplate, html: Callable[..., gr.HTML]):
        """body: the one that is shown first."""
        self._first, self._html = body, html
        lay_out = {
            "regulariser": self._lay_out_regulariser, "square": self._lay_out_square,
            "error": self._lay_out_error, "parts": self._lay_out_parts,
            "joints": self._lay_out_joints, "variants": self._lay_out_variants,
        }  # fmt: skip
        self.tabs: dict[str, gr.Tab] = {}
        self.leads: dict[str, gr.HTML] = {}
        with gr.Tabs(elem_id="lessons") as self.bar:
            for name, fill in lay_out.items():
                title, _ = captions.LESSONS[name]
                with gr.Tab(title, id=name, elem_classes="lesson") as self.tabs[name]:
                    self.leads[name] = html(captions.lead(name, body))
                    fill()
        for name, tab in self.tabs.items():
            tab.select(None, js=SHOW_LAYOUT.format(name=name), api_visibility="private")

    def _lay_out_regulariser(self) -> None:
        with gr.Row(elem_classes="controls"):
            enabled = gr.Checkbox(True, label="Regularise", container=False, elem_id="enabled")
            operator = gr.Radio(OPERATORS, value="average", label="Operator", elem_id="operator")
            iterations = gr.Slider(0, 10, 1, step=1, label="Iterations", elem_id="iterations")
            strength = gr.Slider(0, 1, 1, step=0.05, label="Strength", elem_id="strength")
        self.lab = [enabled, operator, iterations, strength]
        with gr.Row(elem_classes="numbers-row"):
            self.lab_table = self._html("", "lab-table")
            self.curves = _plot("Roughness and error against iterations", "curves")

    def _lay_out_square(self) -> None:
        self.square_table = self._html("", "square-table")

    def _lay_out_error(self) -> None:
        with gr.Row(elem_classes="controls"):
            against = gr.Dropdown([("Automatic", AUTOMATIC)], value=AUTOMATIC, label="Compare with",
                                  elem_id="against", filterable=False)  # fmt: skip
            align = gr.Checkbox(False, label="Align first (Procrustes)", container=False, elem_id="align")
            limit = gr.Slider(0, 300, 0, step=5, label="Range, mm", info="0: automatic", elem_id="limit")
            self.mesh_file = gr.UploadButton(
                "Compare with your mesh (OBJ, PLY, GLB)", file_types=[".obj", ".ply", ".glb"],
                size="sm", elem_id="mesh-file",
            )  # fmt: skip
        self.heat = [against, align, limit]
        with gr.Row(elem_classes="numbers-row"):
            self.worst = self._html("", "worst")
            self.histogram = _plot("How many vertices are how far off", "histogram")

    def _lay_out_parts(self) -> None:
        with gr.Row(elem_classes="controls"):
            dropped = gr.CheckboxGroup(list(limbs_of(self._first)), label="Take away", elem_id="dropped")
            with gr.Column(min_width=180):
                swapped = gr.Checkbox(False, label="Swap left and right", container=False, elem_id="swapped")
                true_parts = gr.Checkbox(
                    False, label="Take the true parts (examples)", container=False, elem_id="true-parts"
                )
            noise = gr.Slider(0, 1, 0, step=0.05, label="Noise", elem_id="noise")
            self.mend = gr.Button("Mend", size="sm", min_width=90, elem_id="mend")
        self.change = [true_parts, dropped, swapped, noise]
        self.change_line = self._html("", "change-line")

    def _lay_out_joints(self) -> None:
        self.joint_table = self._html("", "joint-table")

    def _lay_out_variants(self) -> None:
        self.variant_table = self._html("", "variant-table")

    @property
    def controls(self) -> list:
        """Everything that `settings` is made from, in its order."""
        return [*self.lab, *self.heat, *self.change]

    @property
    def numbers(self) -> list:
        """Everything that `updates` may set."""
        return [self.lab_table, self.curves, self.square_table, self.worst, self.histogram, self.change_line,
                self.joint_table, self.variant_table, self.heat[0]]  # fmt: skip

    @staticmethod
    def settings(values: tuple) -> tuple[Lab, HeatChoice, PartChange]:
        """The settings that the values of `controls` stand for."""
        (
            enabled,
            operator,
            iterations,
            strength,
            against,
            align,
            limit,
            true_parts,
            dropped,
            swapped,
            noise,
        ) = values
        return (
            Lab(enabled, int(iterations), float(strength), operator),
            HeatChoice(against or AUTOMATIC, align, float(limit) or None),
            PartChange(true_parts, tuple(dropped), swapped, float(noise)),
        )

    def updates(self, session: Session, shown_heat: heat.Heat, against: str, uploaded) -> dict:
        """The numbers and plots of all lessons; against: what the heatmap compares with."""
        body, topology = session.body, session.topology
        curves = lab.curves(session, body, topology)
        shown = session.lab.iterations if session.lab.enabled else 0
        return {
            self.lab_table: lab.lab_table(session, body, topology),
            self.curves: lab.curve_figure(curves, shown),
            self.square_table: compare.square_table(session, topology),
            self.worst: heat.worst_table(shown_heat, body),
            self.histogram: heat.histogram(shown_heat),
            self.change_line: _caption(compare.parts_sentence(session, body)),
            self.joint_table: _scrolling(joints.joint_table(session, body), "Distances of the joints"),
            self.variant_table: compare.variant_table(session, body, topology),
            self.heat[0]: gr.update(choices=heat.available(session, uploaded), value=against),
        }

    def worded(self, body: BodyTemplate, values: tuple) -> dict:
        """What is said otherwise of another body: the lessons' sentences, and what can be taken away.

        values: of `controls`; of limbs those that the body has are kept.
        """
        _, _, change = self.settings(values)
        dropped, swapped = self.change[1:3]
        limbs = list(limbs_of(body))
        return {
            **{html: captions.lead(name, body) for name, html in self.leads.items()},
            dropped: gr.update(choices=limbs, value=[limb for limb in change.dropped if limb in limbs]),
            swapped: gr.update(visible=not body.one_sided, value=change.swapped and not body.one_sided),
        }

    def tables(self, session: Session, shown_heat: heat.Heat) -> list[tuple[str, str]]:
        """Titles and tables (HTML) of all lessons, for the report."""
        body, topology = session.body, session.topology
        return [
            ("Regulariser", lab.lab_table(session, body, topology)),
            ("With and without Eq. 3", compare.square_table(session, topology)),
            (shown_heat.title, heat.worst_table(shown_heat, body)),
            ("Joints", joints.joint_table(session, body)),
            ("Variants", compare.variant_table(session, body, topology)),
        ]

    # --- links ----------------------------------------------------------------------------------------

    @staticmethod
    def values_of(asked: Settings) -> tuple:
        """The values of `controls` that a link asks for."""
        return (
            asked.enabled, asked.operator, asked.iterations, asked.strength, asked.against, asked.align,
            asked.limit or 0, asked.true_parts, list(asked.dropped), asked.swapped, asked.noise,
        )  # fmt: skip

    @staticmethod
    def linked(values: tuple, mode: str, example: str, view: dict) -> dict:
        """What a link says: the values of `controls`, the mode, example and lesson, the view's state."""
        names = ("enabled", "operator", "iterations", "strength", "against", "align", "limit", "true_parts",
                 "dropped", "swapped", "noise")  # fmt: skip
        lesson = view.pop("layout", "")
        said = dict(zip(names, values, strict=True))
        said |= {"mode": mode, "example": example, "lesson": lesson}
        return {**said, "view": json.dumps(view, separators=(",", ":"))}

    def without_change(self, values: tuple) -> tuple:
        """The values of `controls` with the part map as the segmenter gave it."""
        return (*values[: -len(self.change)], False, [], False, 0)

    def with_against(self, values: tuple, against: str) -> tuple:
        """The values of `controls` with another mesh to compare with."""
        at = len(self.lab)
        return (*values[:at], against, *values[at + 1 :])


def _scrolling(table: str, label: str) -> str:
    """A tall table in a frame that can be scrolled, by keyboard too."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{table}</div>'


def _caption(sentence: str) -> str:
    return f'<p class="caption">{sentence}</p>'


def _plot(label: str, elem_id: str) -> gr.Plot:
    return gr.Plot(label=label, elem_id=elem_id, show_label=False, container=False, min_width=280)
