"""A load at a fixed rate on one function, over HTTP or MQTT, and where the function no longer keeps up."""
