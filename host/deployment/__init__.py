"""From a package that somebody hands over to a pool that answers: what is deployed, and how it gets there."""
