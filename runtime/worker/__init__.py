"""The only code of ours that runs inside a function's interpreter.

It imports the standard library, gunicorn, cloudpickle and itself. The host imports `frames` and `control`
from here, so both ends of a wire read the same file.
"""
