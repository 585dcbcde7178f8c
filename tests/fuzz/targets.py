"""Everything that is fuzzed."""

from tests.fuzz import arbiters, configs, expressions, frames, heads, logs, payloads, zips
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *frames.TARGETS,
    *arbiters.TARGETS,
    *logs.TARGETS,
    *zips.TARGETS,
    *expressions.TARGETS,
    *configs.TARGETS,
    *payloads.TARGETS,
    *heads.TARGETS,
)
