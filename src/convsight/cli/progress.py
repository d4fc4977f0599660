"""Progress on the terminal's error stream: how far, how fast, how long still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from convsight.cli.terminal import say
from convsight.errors import InputError


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="cyan")


@contextmanager
def progress(
    description: str, total: int | None, *, left: Callable[[], str] = lambda: "nothing half-written is left"
) -> Iterator[Callable[[int, str], None]]:
    """A bar within the block; call the function it gives with how many of `total`, if that is known, are done, and a remark.

    Raises InputError if the block is interrupted (Ctrl-C), which says what is `left`.
    """
    count = "{task.completed}" if total is None else "{task.completed}/{task.total}"
    columns = [
        TextColumn("{task.description}"), BarColumn(), TextColumn(count), _Rate(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[remark]}", markup=False),
    ]  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(description, total=total, remark="")

        def report(done: int, remark: str) -> None:
            bars.update(task, completed=done, remark=remark)

        try:
            yield report
        except KeyboardInterrupt:
            raise InputError(f"interrupted; {left()}") from None


def training_progress(steps: int, checkpoint: Path) -> AbstractContextManager[Callable[[int, str], None]]:
    """`progress` of a training that writes `checkpoint`; says so if it goes on from there."""
    if checkpoint.exists():
        say(f"going on from {checkpoint}")

    def left() -> str:
        return f"the same command goes on from {checkpoint}" if checkpoint.exists() else "no checkpoint was written yet"

    return progress("training", steps, left=left)
