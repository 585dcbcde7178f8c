"""Where events come from; every trigger is handed a `dispatch` callable and nothing more of the runtime."""
