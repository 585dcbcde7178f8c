"""An echo with no host: paho's own loop with the measured function inline, and nothing kept."""

import json
import socket
import sys

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.bench.subject.index import index

IN_FLIGHT = 1000


def main(port: int, source: str, target: str) -> None:
    """Answer what comes on `source` to `target`, both at QoS 1, until the end of the process."""
    client = Client(CallbackAPIVersion.VERSION2, "paho-echo", protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(IN_FLIGHT)

    def answer(_client: Client, _data: object, message: MQTTMessage) -> None:
        client.publish(target, json.dumps(index(json.loads(message.payload), None)), 1)

    client.on_message = answer
    client.connect("127.0.0.1", port)
    connected = client.socket()
    assert isinstance(connected, socket.socket)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.subscribe(source, 1)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
