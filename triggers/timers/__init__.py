"""The timer trigger: moments that are events."""
