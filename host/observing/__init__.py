"""What the host tells of functions at work: metrics, history, records of invocations, traces."""
