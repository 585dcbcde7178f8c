"""The benchmark: `python -m tests.bench` measures the host beside what people would use instead."""
