"""The MQTT trigger: messages of a rule's topic go to its functions, their results to its target topic."""
