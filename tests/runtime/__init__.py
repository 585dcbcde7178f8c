"""Tests of pools: queue, slots and frames in this process, arbiters in their own."""
