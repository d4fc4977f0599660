"""Chapter 3: Go, rows L8 and L9."""

from __future__ import annotations

from collections.abc import Iterator

from convsight.go import draw, samples, sgf, show
from convsight.go.data import load as load_games
from convsight.go.player import Player
from convsight.network import Network, load
from convsight.pictures import png
from convsight.tour.page import Picture, Section

TITLE = "3. Go"
SECTIONS = 3
NETWORKS = ("go",)
MOVE = 60
LAYER, UNIT = "conv3", 5


def introduction() -> str:
    """What changes when the picture is a board."""
    return (
        "A board is a picture too, of 19 by 19 points with 48 numbers each: stones, when they were played, how many liberties "
        "they have, what a move there would take, whether a ladder works. The network learnt from records of strong players "
        "which move comes next. Nothing is subsampled: without one row of points it would be another game."
    )


def sections(seed: int, device: str) -> Iterator[Section]:
    """What the network expects and why, its first filters, and what excites a deeper one."""
    network = load("go").to(device)
    network.module.eval()
    yield _expected(network)
    yield _filters(network)
    yield _excited(network, seed)


def _expected(network: Network) -> Section:
    record = sgf.first(sgf.EXAMPLE)
    position = samples.position(record, MOVE)
    board, last = position.board()[0], record.moves[MOVE - 2][1]
    prior = Player(network).prior(position)[0]
    best = int(prior.argmax())
    carried = show.carrying(network, position, best)
    pictures = [draw.expected(board, prior, last=last), draw.carrying(board, carried, best, last=last)]
    first = sorted(carried, key=lambda each: -abs(carried[each]))[:3]
    return Section(
        row="L8",
        title="Which move comes next?",
        claim="Given the board, the move of the record is 1 and all other points are 0: so the network learns to foretell it.",
        picture=Picture(
            png(draw.side_by_side(pictures, columns=2)),
            "A board with the likeliest moves in percent, and the stones that carry the likeliest of them",
            f"convsight go suggest example --move {MOVE} --why best",
            "from convsight.go import player, samples, sgf; "
            f'player.Player(load("go")).prior(samples.position(sgf.first(sgf.EXAMPLE), {MOVE}))',
            smooth=True,
        ),
        finding=f"Likeliest is {sgf.named(best, record.size)} with {prior[best]:.0%}. Right, in blue, the stones without which "
        f"it would be less likely, most of all {', '.join(sgf.named(each, record.size) for each in first)}; in red those "
        "without which it would be more.",
    )


def _filters(network: Network) -> Section:
    patterns = [draw.pattern(each) for each in show.filters(network)]
    return Section(
        row="L9",
        title=f"{len(patterns)} filters that look at stones",
        claim="The board is padded with zeros, and filters of 5 by 5 points slide over it; then filters of 3 by 3, layer "
        "after layer, without pooling.",
        picture=Picture(
            png(draw.side_by_side(patterns, columns=max(1, round(len(patterns) ** 0.5)))),
            f"{len(patterns)} small boards of 5 by 5 points with the stones that each filter likes best",
            "convsight go show",
            'from convsight.go import show; show.filters(load("go"))',
            smooth=True,
        ),
        finding="What each filter of the first layer likes best: own stones are black, the opponent's white, empty points "
        "blue; what matters less is paler. Here too a filter can be read, as a pattern of stones.",
    )


def _excited(network: Network, seed: int) -> Section:
    moves, _ = load_games([sgf.EXAMPLE], network.input.shape[1])
    found = show.strongest(network, LAYER, UNIT, moves, seed=seed)
    climbed = [show.climbed(network, LAYER, UNIT, each) for each in found]
    pictures = [
        picture
        for each, more in zip(found, climbed, strict=True)
        for picture in draw.climb(each.games.board()[0], more.games.board()[0], show.seen(network, LAYER, each.place))
    ]
    flags = f" --seed {seed}" if seed else ""
    rises = ", ".join(f"{each.response:.1f} to {more.response:.1f}" for each, more in zip(found, climbed, strict=True))
    return Section(
        row="L9",
        title=f"What excites a filter of {LAYER}",
        claim="As in a picture: find the input that excites a filter most. On a board it must be a board.",
        picture=Picture(
            png(draw.side_by_side(pictures, columns=2)),
            "Three positions from games that excite the filter, and beside each a board that excites it more",
            f"convsight go show example --layer {LAYER} --unit {UNIT}{flags}",
            "from convsight.go import data, sgf, show; moves, _ = data.load([sgf.EXAMPLE]); "
            f'show.strongest(load("go"), "{LAYER}", {UNIT}, moves)',
            smooth=True,
        ),
        finding="Left three positions from games, right what became of them by changing one point after the other (red), as "
        f"long as the filter answered more: {rises}.",
    )
