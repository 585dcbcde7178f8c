"""Hostile packages and clients against a real host: what they may not do, and whom they may not disturb."""
