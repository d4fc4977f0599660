"""Chapter 3: Go, rows L8 and L9."""

from __future__ import annotations

from collections.abc import Iterator

from convsight.go import sgf, show, views
from convsight.go.data import load as load_games
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
    found = views.suggestion(network, sgf.first(sgf.EXAMPLE), MOVE, why="best")
    size = network.input.shape[1]
    first = sorted(found.carried, key=lambda each: -abs(found.carried[each]))[:3]
    carriers = ", ".join(sgf.named(each, size) for each in first)
    return Section(
        row="L8",
        title="Which move comes next?",
        claim="Given the board, the move of the record is 1 and all other points are 0: so the network learns to foretell it.",
        picture=Picture(
            png(found.picture),
            "A board with the likeliest moves in percent, and the stones that carry the likeliest of them",
            f"convsight go suggest example --move {MOVE} --why best",
            f'from convsight.go import sgf, views; views.suggestion(load("go"), sgf.first(sgf.EXAMPLE), {MOVE}, why="best")',
            smooth=True,
        ),
        finding=f"Likeliest is {sgf.named(found.point, size)} with {found.prior[found.point]:.0%}. Right, in blue, the stones "
        f"without which it would be less likely, most of all {carriers}; in red those without which it would be more.",
    )


def _filters(network: Network) -> Section:
    count = len(show.filters(network))
    return Section(
        row="L9",
        title=f"{count} filters that look at stones",
        claim="The board is padded with zeros, and filters of 5 by 5 points slide over it; then filters of 3 by 3, layer "
        "after layer, without pooling.",
        picture=Picture(
            png(views.filters(network).picture),
            f"{count} small boards of 5 by 5 points with the stones that each filter likes best",
            "convsight go show",
            'from convsight.go import views; views.filters(load("go"))',
            smooth=True,
        ),
        finding="What each filter of the first layer likes best: own stones are black, the opponent's white, empty points "
        "blue; what matters less is paler. Here too a filter can be read, as a pattern of stones.",
    )


def _excited(network: Network, seed: int) -> Section:
    moves, _ = load_games([sgf.EXAMPLE], network.input.shape[1])
    shown = views.climbs(network, LAYER, UNIT, moves, seed=seed)
    flags, named = (f" --seed {seed}", f", seed={seed}") if seed else ("", "")
    pairs = zip(shown.found, shown.climbed, strict=True)
    rises = ", ".join(f"{each.response:.1f} to {more.response:.1f}" for each, more in pairs)
    return Section(
        row="L9",
        title=f"What excites a filter of {LAYER}",
        claim="As in a picture: find the input that excites a filter most. On a board it must be a board.",
        picture=Picture(
            png(shown.picture),
            "Three positions from games that excite the filter, and beside each a board that excites it more",
            f"convsight go show example --layer {LAYER} --unit {UNIT}{flags}",
            "from convsight.go import data, sgf, views; moves, _ = data.load([sgf.EXAMPLE]); "
            f'views.climbs(load("go"), "{LAYER}", {UNIT}, moves{named})',
            smooth=True,
        ),
        finding="Left three positions from games, right what became of them by changing one point after the other (red), as "
        f"long as the filter answered more: {rises}.",
    )
