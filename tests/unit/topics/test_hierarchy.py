"""The hierarchy of topics, by their similarity."""

import numpy as np

from models.topics.naming.hierarchy import hierarchy
from models.topics.online.centring import unit


def test_the_closest_topics_join_first_and_the_last_step_all() -> None:
    centroids = unit(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.1], [0.9, 0.1, 0.0], [0.0, 0.8, 0.6]]))
    joined = hierarchy([3, 5, 8, 9], centroids)
    assert [(each.left, each.right) for each in joined] == [((3,), (8,)), ((5,), (9,)), ((3, 8), (5, 9))]
    assert [each.distance for each in joined] == sorted(each.distance for each in joined)


def test_one_topic_alone_has_no_kin() -> None:
    assert hierarchy([4], np.ones((1, 3))) == ()
    assert hierarchy([], np.zeros((0, 3))) == ()
