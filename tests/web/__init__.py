"""The web port: who may call, how much, and how slowly."""
