"""Events of all kinds over HTTP and MQTT to a real host, counted by whoever sends them."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import quote, urlsplit

from tests.mqtt.clients import Device, until

NAME = "混合"
TIMEOUT = 0.6
CODE = """
import os, time

def index(event, context):
    kind = event["kind"]
    if kind == "timeout":
        time.sleep(60)
    if kind == "died":
        os._exit(7)
    if kind == "raised":
        raise ValueError("no good")
    return None if kind == "nothing" else event["n"]
"""
MANIFEST = f"timeout: {int(TIMEOUT * 1000)}ms\nqueue: 20000\nscale: {{min: 2, max: 2}}\n"
STATUS = {200: "ok", 204: "ok", 500: "raised", 502: "died", 504: "timeout"}
ERROR = {"ValueError": "raised", "InstanceDied": "died", "DeadlinePassed": "timeout"}
IN, OUT, ERRORS = "mixed/in", "mixed/out", "mixed/errors"
WINDOW = 400
"""Messages over MQTT that are under way at a time, so that few deadlines pass in the queue."""
PATIENCE = 240.0


def quoted() -> str:
    """The function's name as it stands in an address."""
    return quote(NAME)


def bodies(count: int, rare: int, often: Sequence[str]) -> list[bytes]:
    """`count` events of kinds that are `often`; one in `rare` passes its deadline, one ends its instance."""
    rarely = {rare // 3: "timeout", rare // 2: "died"}
    kinds = [rarely.get(number % rare, often[number % len(often)]) for number in range(count)]
    return [json.dumps({"n": number, "kind": kind}).encode() for number, kind in enumerate(kinds)]


async def send_over_http(url: str, events: Sequence[bytes], callers: int) -> Counter[str]:
    """All events by so many callers, each over one connection; counts the answers by their status."""
    ended: Counter[str] = Counter()
    left = iter(events)
    await asyncio.gather(*(_call(url, left, ended) for _ in range(callers)))
    return ended


async def _call(url: str, left: Iterator[bytes], ended: Counter[str]) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        for body in left:
            head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (head.encode(), len(body), body))
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            lines = answer.decode().lower().split("\r\n")
            sizes = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
            await reader.readexactly(sum(sizes))
            ended[STATUS[int(lines[0].split(" ")[1])]] += 1
    finally:
        writer.close()
        await writer.wait_closed()


async def send_over_mqtt(line: Device, events: Sequence[bytes]) -> Counter[str]:
    """All events, a window at a time, each of which has a result or an error; counts both."""
    ended: Counter[str] = Counter()
    for start in range(0, len(events), WINDOW):
        window = list(events[start : start + WINDOW])
        await asyncio.to_thread(line.say_all, IN, window)
        await until(partial(_has_heard, line, start + len(window)), "all are answered", PATIENCE)
    for message in line.heard:
        ended["ok" if message.topic == OUT else ERROR[json.loads(message.payload)["errorType"]]] += 1
    return ended


def _has_heard(line: Device, count: int) -> bool:
    return len(line.heard) >= count
