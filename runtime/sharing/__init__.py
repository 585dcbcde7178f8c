"""Functions with `isolation: subinterpreter`: one process for many of them, and each one's place in it."""
