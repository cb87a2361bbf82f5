"""A stand-in for the user's SMPL files, for the loaders of datasets."""

import pytest
from dataset_files import RigidSMPL

from hmnet.body import licensed


@pytest.fixture
def rigid_smpl(monkeypatch: pytest.MonkeyPatch) -> RigidSMPL:
    """The body that `load_smpl` gives of any gender."""
    body = RigidSMPL()
    monkeypatch.setattr(licensed, "load_smpl", lambda gender: body)
    return body
