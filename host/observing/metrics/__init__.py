"""The metrics of the host: what is counted, what is looked at, and the page that tells it to Prometheus."""
