"""Tests of the function by itself: `pytest` in this folder, without a host."""

import asyncio

from index import index


def test_the_gauges_are_summed_up():
    assert asyncio.run(index({"gauges": [10, 20]}, None)) == {"sum": 30}
