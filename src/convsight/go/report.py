"""A review of a game as one HTML page: how often the network foretold the moves, a plot of all, a board for each surprise."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from convsight import __version__
from convsight.files import data_address, written_whole
from convsight.go import draw, sgf
from convsight.go.match import NAMES
from convsight.go.review import Review, agreement, expected, first, percent
from convsight.go.samples import position
from convsight.network import Network
from convsight.pictures import png

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 460, 260, 46, 12, 12, 46
_LEAST = -4  # tens of the least probability that the plot tells from less
_NEAR = 22  # where numbers of surprises would touch
_STEPS = (5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Surprise:
    """A move that the network held unlikely as the page shows it; `data` is the address of a picture."""

    number: int
    title: str
    sentence: str
    data: str
    alt: str
    command: str


def page(found: Review, network: Network, *, players: tuple[str, str] = ("", ""), suggest: str) -> str:
    """The whole page, with nothing fetched from elsewhere. `suggest`: the command that looks closer at a move of this game."""
    environment = Environment(loader=PackageLoader("convsight.go", "."), autoescape=True, undefined=StrictUndefined)
    record = found.record
    return environment.get_template("report.html").render(
        record=record,
        whose=f" of {NAMES[found.colour]}" if found.colour else "",
        name=Path(record.source).name or "A game",
        players=[name or NAMES[colour] for colour, name in enumerate(players, start=1)] if any(players) else [],
        network=network,
        parts=[(name, len(part), agreement(part)) for name, part in found.parts().items()],
        plot=plot(found),
        surprises=surprises(found, suggest),
        moves=[
            (each, NAMES[each.colour], sgf.named(each.point, record.size), percent(each.probability), first(each, record.size))
            for each in found.moves
        ],
        unexpected={each.number for each in found.surprises},
        version=__version__,
    )


def write_page(found: Review, network: Network, path: Path, *, players: tuple[str, str] = ("", ""), suggest: str) -> None:
    """Write the page. Raises InputError if `path` cannot be written."""
    with written_whole(path) as temporary:
        temporary.write_text(page(found, network, players=players, suggest=suggest), encoding="utf-8")


def surprises(found: Review, suggest: str) -> list[Surprise]:
    """Each of the surprises with the board before it, what was played red, what was expected blue."""
    record, size = found.record, found.record.size
    shown = []
    for each in found.surprises:
        board = position(record, each.number).board()[0]
        name, point = NAMES[each.colour].capitalize(), sgf.named(each.point, size)
        last = record.moves[each.number - 2][1] if each.number > 1 else None
        likelier = "1 other move" if each.rank == 2 else f"{each.rank - 1} other moves"
        picture = png(draw.surprise(board, each.prior, each.point, last=last))
        shown.append(
            Surprise(
                each.number,
                f"Move {each.number}: {name} {point}",
                f"{name} played {point}: {percent(each.probability)}, with {likelier} likelier. Here {expected(each, size)}.",
                data_address("image/png", picture),
                f"The board before move {each.number}: {point}, which was played, in red; {expected(each, size)}, in blue",
                f"{suggest} --move {each.number} --why best",
            )
        )
    return shown


def plot(found: Review) -> str:
    """The probability of each move, on a scale of tens, as an SVG picture; the surprises have their numbers."""
    last = found.moves[-1].number
    step = next((each for each in _STEPS if last / each <= 8), _STEPS[-1])

    def x(number: int) -> float:
        return _LEFT + 7 + (_WIDTH - _LEFT - _RIGHT - 14) * (number - 1) / max(last - 1, 1)

    def y(chance: float) -> float:
        tens = max(log10(max(chance, 1e-30)), _LEAST)
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * tens / _LEAST

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="how likely the network held each move">']
    for tens in range(0, _LEAST - 1, -1):
        at = y(10.0**tens)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        scale = f"{'≤' if tens == _LEAST else ''}{10.0 ** (tens + 2):g}%"
        parts.append(f'<text x="{_LEFT - 5}" y="{at + 3:.1f}" text-anchor="end">{scale}</text>')
    for number in range(step, last + 1, step):
        parts.append(f'<text x="{x(number):.1f}" y="{_HEIGHT - 19}" text-anchor="middle">{number}</text>')
    for each in found.moves:
        told = f"{each.number}, {NAMES[each.colour]} {sgf.named(each.point, found.record.size)}: {percent(each.probability)}"
        parts.append(
            f'<circle class="{NAMES[each.colour]}" cx="{x(each.number):.1f}" cy="{y(each.probability):.1f}" r="2.4">'
            f"<title>{told}, choice {each.rank}</title></circle>"
        )
    before, under = (-1e9, 0.0), False
    for each in sorted(found.surprises, key=lambda each: each.number):
        at, height = x(each.number), y(each.probability)
        under = not under and at - before[0] < _NEAR and abs(height - before[1]) < _NEAR
        before = at, height
        parts.append(
            f'<a href="#move-{each.number}"><circle class="ring" cx="{at:.1f}" cy="{height:.1f}" r="4.2"/><text class="number" '
            f'x="{at:.1f}" y="{height + (14 if under else -7):.1f}" text-anchor="middle">{each.number}</text></a>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 5}" text-anchor="middle">number of the move</text></svg>')
    return "".join(parts)
