"""From a session to what the page's components show: new values by component."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr

from demo import photo_view, scene, status, viewer
from demo.hands import Networks
from demo.heat import Heat, HeatChoice, available, heat_of
from demo.lessons import Lessons
from demo.session import Session
from hmnet.errors import HMNetError

NOTICE_SECONDS = 12
Updates = dict[Any, Any]
"""New values by component; components that are not named stay as they are."""


@dataclass(frozen=True)
class Panels:
    """The components that show a session, whose names are as on the page."""

    session: gr.State
    uploaded: gr.State
    photo: gr.Image
    status: gr.HTML
    people: gr.HTML
    pictures: gr.HTML
    view: gr.HTML
    lessons: Lessons
    networks: Networks

    @property
    def numbers_shown(self) -> list:
        """Everything that `numbers` may set."""
        return [self.session, self.view, *self.lessons.numbers]

    @property
    def all_shown(self) -> list:
        """Everything that `afresh` may set."""
        others = [self.photo, self.pictures, self.status, self.people, self.uploaded]
        leads = self.lessons.leads.values() if self.networks.has_hands else ()
        return [*self.numbers_shown, *self.lessons.change, *others, *leads]

    def begin(self, work: Callable[[], Session], values: tuple) -> Updates:
        """The updates for a new session; for a user's mistake a notice with its one sentence.

        values: of the lessons' controls. A photo that gave no result leaves the input, so that what stands
        there is what the panels show.
        """
        updates = self.kept(work, values)
        return updates if self.session in updates else {self.photo: None}

    def kept(self, work: Callable[[], Session], values: tuple) -> Updates:
        """As `begin`, but what stands in the input stays there."""
        try:
            session = work()
        except HMNetError as error:
            warn(error)
            return {self.photo: gr.skip()}
        return self.afresh(session, values)

    def another(self, session: Session | None, find: Callable[[], Session | None], values: tuple) -> Updates:
        """Another person of the session's photo; where there is none, or not to be had, everything stays."""
        nothing = {self.session: gr.skip()}
        try:
            found = None if session is None else find()
        except HMNetError as error:
            warn(error)
            # Drawn anew, so that the box stands where it belongs to what is shown.
            return {**nothing, self.pictures: self.drawn(session)}
        return nothing if found is None else self.afresh(found, values)

    def afresh(self, session: Session, values: tuple) -> Updates:
        """Everything for whoever was not shown before: nothing is changed of the part map."""
        return {**self.everything(session, None, values), **self.unchanged(session, values)}

    def everything(self, session: Session, uploaded, values: tuple) -> Updates:
        """All panels; uploaded: the visitor's mesh."""
        return {
            **self.numbers(session, uploaded, values),
            self.uploaded: uploaded,
            self.pictures: self.drawn(session),
            self.status: self.status_line(session),
            self.people: status.people_line(session),
        }

    def unchanged(self, session: Session | None, values: tuple) -> Updates:
        """The controls of the part map as they stand for no change."""
        controls = dict(zip(self.lessons.change, (False, [], False, 0), strict=True))
        if session is None:
            return controls
        return controls | self.worded(session, self.lessons.without_change(values))

    def worded(self, session: Session, values: tuple) -> Updates:
        """What the lessons say otherwise of the session's body, where it may be another one."""
        return self.lessons.worded(session.body, values) if self.networks.has_hands else {}

    def numbers(self, session: Session, uploaded, values: tuple) -> Updates:
        """The 3D view and the lessons' tables and plots."""
        choice = self._choice(session, uploaded, values)
        heat = heat_of(session, choice, session.body, uploaded)
        panes, layouts = scene.panes(session, heat)
        return {
            self.session: session,
            self.view: viewer.drawing(session.token, panes, layouts, asdict(session.lab), session.body_name),
            **self.lessons.updates(session, heat, choice.against, uploaded),
        }

    def heat(self, session: Session, uploaded, values: tuple) -> Heat:
        """The heatmap that is shown."""
        return heat_of(session, self._choice(session, uploaded, values), session.body, uploaded)

    def drawn(self, session: Session) -> dict:
        """The value of the four pictures."""
        return photo_view.drawing(scene.photo_scene(session))

    def status_line(self, session: Session) -> str:
        """The value of the line that says what answered."""
        return status.line(session, self.networks.shown(session).predictor)

    def _choice(self, session: Session, uploaded, values: tuple) -> HeatChoice:
        """The heatmap that is asked for, or, where this person has none such, the automatic one."""
        choice = self.lessons.settings(values)[1]
        there = {value for _, value in available(session, uploaded)}
        return choice if choice.against in there else replace(choice, against="auto")


def warn(error: HMNetError) -> None:
    """A notice with the one sentence that tells a user's mistake."""
    gr.Warning(str(error), duration=NOTICE_SECONDS)
