"""What keeps a promise across a crash: events, results and dead letters on disk, retries, order."""
