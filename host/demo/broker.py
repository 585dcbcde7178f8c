"""The embedded broker as a process: `python -m host.demo.broker PORT`; amqtt, which speaks MQTT 3.1.1."""

import asyncio
import logging
import sys

READY = "the broker listens"


async def run_broker(port: int) -> None:
    """Serve anonymous clients on the loopback `port` until killed; there is nothing to save."""
    from amqtt.broker import Broker

    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    await Broker(settings).start()
    print(READY, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(run_broker(int(sys.argv[1])))
