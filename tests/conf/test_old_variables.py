"""Variables of the older program that mean nothing here are not ignored."""

import pytest

from conf.old_variables import INSTEAD, old_variable_faults


@pytest.mark.parametrize("name", INSTEAD)
def test_a_variable_of_the_older_program_is_refused_with_what_to_write_instead(name: str) -> None:
    [fault] = old_variable_faults({name: "10", "PYBOOT_HOME": "/opt", "DOWNLOAD_MODEL": "True"})
    assert str(fault) == f"{name}: is not read; unset it ({INSTEAD[name]})"


def test_those_that_are_empty_or_absent_are_no_fault() -> None:
    assert not list(old_variable_faults({"LOGGER_HOME": "", "HOME": "/root"}))
