"""How the small commands that run until they are told to stop hear of it."""

import asyncio
import signal


async def told_to_stop() -> None:
    """Returns at the first SIGTERM or SIGINT; further ones are left to their default effect."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, told.set)
    await told.wait()
    for number in signals:
        loop.remove_signal_handler(number)
