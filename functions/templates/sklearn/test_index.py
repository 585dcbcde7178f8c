"""Tests of the model by itself: `pytest` in this folder, in an environment with requirements.txt."""

from train import train


def test_what_is_far_on_one_side_is_told_apart():
    assert list(train().predict([[188, 134], [21, 40]])) == [1, 0]
