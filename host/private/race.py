"""Runs coroutines side by side until the first of them ends."""

import asyncio
from collections.abc import Coroutine


async def race(*scenes: Coroutine[None, None, object]) -> None:
    """Return when one returns, raise what one raises; the others are cancelled either way."""
    tasks = [asyncio.ensure_future(scene) for scene in scenes]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
