from __future__ import annotations

import pytest

from tests.conftest import Run

COMMANDS = [
    ("layers",), ("filters",), ("see",), ("atlas",), ("dream",), ("style",), ("tour",), ("digits", "train"),
    ("digits", "evaluate"), ("digits", "classify"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_an_example(convsight: Run, command: tuple[str, ...]) -> None:
    done = convsight(*command, "--help")
    assert done.returncode == 0
    assert f"Example: convsight {' '.join(command)}" in done.stdout


def test_without_arguments_the_commands_are_listed(convsight: Run) -> None:
    done = convsight()
    assert all(command[0] in done.stdout for command in COMMANDS)
