"""Example hands in a mirror: the picture, its parts and its truth stay one."""

import numpy as np

from hmnet.body.hand import hand_template
from hmnet.camera import project
from hmnet.data.synthetic.hands.hand_examples import in_mirror
from hmnet.data.synthetic.scenes.photograph import Sample


def test_the_mirror_image_of_an_example_lies_where_its_picture_shows_it():
    body = hand_template()
    vertices, joints = body.vertices.numpy(), body.regress_joints(body.vertices).numpy()
    camera = np.array([900.0, 0.2, 0.15], np.float32)
    generator = np.random.default_rng(0)
    image = generator.integers(0, 255, (200, 320, 3), np.uint8)
    part_map = generator.integers(0, 17, (200, 320), np.uint8)
    box = np.array([20, 30, 120, 160], np.float32)
    sample = Sample(image, part_map, vertices, joints, camera, box, "rest", (), project(joints, camera))
    left = in_mirror(sample)
    points, mirrored = project(vertices, camera), project(left.vertices, left.camera)
    np.testing.assert_allclose(mirrored, [320, 0] + points * [-1, 1], atol=1e-2)
    np.testing.assert_array_equal(left.image[:, 7], image[:, -8])
    np.testing.assert_array_equal(left.part_map[:, 7], part_map[:, -8])
    np.testing.assert_allclose(left.box, [200, 30, 300, 160])
    np.testing.assert_allclose(left.joints, joints * [-1, 1, 1])
