"""The rendered examples as the page shows them."""

import threading

from demo import link
from demo import session as person
from demo.hand_switch import HandSwitch
from demo.panels import Panels, Updates
from demo.session import Lab, Session


class Gallery:
    """Runs the networks on examples; what all who open the page are shown is made once."""

    def __init__(self, panels: Panels, switch: HandSwitch) -> None:
        self._panels, self._switch = panels, switch
        self._openings: dict[tuple[str, int], Updates] = {}
        self._lock = threading.Lock()

    def show(self, mode: str, index: int, lab: Lab, values: tuple) -> Updates:
        """An example of a mode in all panels, and in the input; values: of the lessons' controls."""
        example, panels = self._switch.examples(mode)[index], self._panels

        def work() -> Session:
            return person.reconstruct(panels.networks.of(mode), example.photo, example, lab)

        updates = panels.begin(work, values)
        return {**updates, panels.photo: str(example.photo)} if panels.session in updates else updates

    def opening(self, mode: str, index: int) -> Updates:
        """What an example is shown with to all who open the page at it without settings of their own: made
        once, since on a public page this is what is asked for most."""
        with self._lock:
            if (mode, index) not in self._openings:
                lessons = self._panels.lessons
                values = lessons.values_of(link.Settings())
                updates = self.show(mode, index, lessons.settings(values)[0], values)
                if self._panels.session not in updates:
                    return updates
                self._openings[mode, index] = updates
            return self._openings[mode, index]
