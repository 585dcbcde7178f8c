"""An event on its way through a pool: who waits, who runs, and what comes back."""
