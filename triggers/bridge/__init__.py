"""Bridges: sources that do not speak MQTT, polled into a topic from which rules take their events."""
