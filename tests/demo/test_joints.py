"""How far the two sets of joints are apart, and each from the truth."""

from dataclasses import replace

import numpy as np

from demo.joints import joint_rows, joint_sentence, joint_table


def with_joints(session, body, **moved):
    """The session whose joint branch gives the regressed joints, but for those that are moved, in mm."""
    joints = session.prediction.regressed_joints.copy()
    for name, mm in moved.items():
        joints[body.joint_index(name)] += np.float32([0, 0.6 * mm / 1000, -0.8 * mm / 1000])
    return replace(session, prediction=replace(session.prediction, joints=joints))


def test_the_farthest_come_first_by_name(of_photo, body):
    session = with_joints(of_photo, body, left_wrist=40, neck=90)
    rows = joint_rows(session, body)
    assert len(rows) == 24
    assert [row.name for row in rows[:2]] == ["neck", "left wrist"]
    np.testing.assert_allclose([row.distance for row in rows[:3]], [90, 40, 0], atol=1e-3)
    assert all(row.branch_error is None and row.surface_error is None for row in rows)


def test_where_the_truth_is_known_each_set_has_its_error(of_example, body):
    session = with_joints(of_example, body, left_wrist=50)
    true = session.prediction.regressed_joints + np.float32([0.03, 0, 0])
    session = replace(session, example=replace(session.example, joints=true))
    first, *others = joint_rows(session, body)
    # The branch's wrist is off by 30 mm along x and by 50 mm across it.
    np.testing.assert_allclose(first[1:], (50, np.hypot(30, 50), 30), rtol=1e-3)
    np.testing.assert_allclose([row.branch_error for row in others], 30, rtol=1e-3)


def test_the_table_has_the_columns_that_are_known(of_example, of_photo, body):
    for session, columns in ((of_photo, 1), (of_example, 3)):
        table = joint_table(session, body)
        assert table.count("<tr>") == 25 and table.count("<td>") == 24 * columns
        assert joint_sentence(session, body) in table
    session = with_joints(of_photo, body, right_knee=12)
    assert '<tbody><tr><th scope="row">right knee</th><td>12.0</td></tr>' in joint_table(session, body)


def test_the_sentence_tells_the_loss(of_example, of_photo, body):
    sentence = joint_sentence(with_joints(of_photo, body, left_hip=48), body)
    assert sentence == (
        "<var>L<sub>JS</sub></var>: the two sets of joints are 2.0 mm apart on average "
        "(largest: left hip, 48 mm)."
    )
    assert "Mean error of the joint branch" in joint_sentence(of_example, body)
