"""Go, rows L8 and L9."""

from __future__ import annotations

from convsight.errors import by
from convsight.go import curve, selfplay, sgf, show, views
from convsight.go.data import load as load_games
from convsight.go.duel import duel
from convsight.network import Network, load
from convsight.optimizers import adam
from convsight.pictures import png
from convsight.tour.page import Answer, Picture, Section

NETWORKS = ("go",)
MOVE = 60
LAYER, UNIT = "conv3", 5
MEASURED = (
    ("network, 150,000 positions", "parameters", "move first", "among five"),
    ("no pooling", "75,817", "35.8%", "66.5%"),
    ("fully connected at the end", "4,246,057", "32.8%", "62.5%"),
    ("the same, max pooling twice", "260,617", "9.3%", "33.3%"),
)  # benchmarks/go_learning.md
IMPROVED = (
    ("network", "games against itself", "won against its start", "entropy of its moves, in nats"),
    ("9x9, 7 layers of 64 filters", "19,200", "324 of 400", "1.38, then 0.60"),
    ("19x19, 12 layers of 128 filters", "10,944", "191 of 200", "1.80, then 0.40"),
)  # src/convsight/weights/go9_rl.md, go_rl.md


def expected(_seed: int, device: str) -> Section:
    """What the network expects at one move of a game, and why."""
    network = _network(device)
    found = views.suggestion(network, sgf.first(sgf.EXAMPLE), MOVE, why="best")
    size = network.input.shape[1]
    first = sorted(found.carried, key=lambda each: -abs(found.carried[each]))[:3]
    carriers = ", ".join(sgf.named(each, size) for each in first)
    return Section(
        title="Which move comes next?",
        asked="A game record, and the network that ships: what does it expect, and which stones carry that?",
        picture=Picture(
            png(found.picture),
            "A board with the likeliest moves in percent, and the stones that carry the likeliest of them",
            f"convsight go suggest example --move {MOVE} --why best",
            f'from convsight.go import sgf, views; views.suggestion(load("go"), sgf.first(sgf.EXAMPLE), {MOVE}, why="best")',
            smooth=True,
        ),
        finding=f"Likeliest is {sgf.named(found.point, size)} with {found.prior[found.point]:.0%}. Right, in blue, the stones "
        f"without which it would be less likely, most of all {carriers}; in red, if any, those without which it would be "
        "likelier.",
        answer=Answer(
            "yes",
            "Learning from records does what it says: of 315,214 moves of 9-dans that it has not seen, the network that ships "
            "puts 48.4% first and 80.7% among five, and it beats GNU Go 3.8, level 10, in 57 of 60 games. By playing itself it "
            "came to win 191 of 200 games against what it was, both drawing moves as often as they expect them (AlphaGo's: "
            "over 80%). Much of that is being surer: with moves drawn more sharply, at temperature 0.25, it is 57 of 100, too "
            "few to say that it plays better. On 9 lines it is 239 of 400, which does say so.",
        ),
        introduction="A board is a picture too, of 19 by 19 points with 48 numbers each: stones, when they were played, how "
        "many liberties they have, what a move there would take, whether a ladder works. The network learnt from records of "
        "strong players which move comes next.",
    )


def improved(seed: int, device: str) -> Section:
    """A small network that learns from nothing to win on a small board, by playing itself."""
    start, learner = (selfplay.from_nothing(5, seed=seed) for _ in range(2))
    reports: list[selfplay.Report] = []
    selfplay.improve(
        learner, batches=12, games=64, seed=seed, optimizer=adam(0.005), device=device, on_batch=reports.append
    )  # fmt: skip
    judged = duel(learner, start.to(learner.device), 400, resign=False, seed=seed)
    flags, named = (f" --seed {seed}", f", seed={seed}") if seed else ("", "")
    return Section(
        title="It improves by playing itself",
        asked="From nothing: a network that knows no game plays 768 games against earlier versions of itself, on a board of "
        "5x5. What was played in games that were won becomes likelier, what was played in lost ones less likely.",
        picture=Picture(
            png(curve.picture([each.line(64, 0) for each in reports])),
            "Four curves: games won against earlier selves, against its start, entropy, and moves a game",
            f"convsight go selfplay --size 5 --batches 12 --games 64 --learning-rate 0.005{flags}",
            "from convsight.go import curve, selfplay; from convsight.optimizers import adam; "
            f"learner, reports = selfplay.from_nothing(5{named}), []; "
            f"selfplay.improve(learner, batches=12, games=64{named}, optimizer=adam(0.005), on_batch=reports.append); "
            "curve.view([each.line(64, 0) for each in reports])",
            smooth=True,
        ),
        finding=f"It then wins {judged.wins:g} of {len(judged.outcome)} games against itself as it was. The networks that ship "
        "went the same way from what records had taught them:",
        table=IMPROVED,
    )


def filters(_seed: int, device: str) -> Section:
    """The first filters as patterns of stones, and what pooling does to such a network."""
    network = _network(device)
    layers = {each.name: each.shape for each in network.layers()}
    count = len(show.filters(network))
    return Section(
        title=f"{count} filters that look at stones",
        asked="The first layer's filters, as the stones that each of them likes best.",
        picture=Picture(
            png(views.filters(network).picture),
            f"{count} small boards of 5 by 5 points with the stones that each filter likes best",
            "convsight go show",
            'from convsight.go import views; views.filters(load("go"))',
            smooth=True,
        ),
        finding="What each filter of the first layer likes best: own stones are black, the opponent's white, empty points "
        "blue; what matters less is paler. Here too a filter can be read, as a pattern of stones. What "
        "pooling does, by equal short trainings of small networks:",
        table=MEASURED,
        answer=Answer(
            "yes",
            "Max pooling twice takes a small network from 32.8% of the moves to 9.3%. Asked without knowing the game, data say "
            "the same: convsight fit finds filters that slide along rows and columns, no pooling, and, with three of five "
            "seeds, that a board does not stand subsampling (with the others, where small networks learnt less, it seemed to). "
            "One slip: the "
            f"lecture has 21x21 points after the first layer; padded to 23x23, filters of 5x5 leave {by(layers['conv1'][1:])}.",
        ),
    )


def excited(seed: int, device: str) -> Section:
    """Positions that excite a deeper filter, and boards that excite it more."""
    network = _network(device)
    moves, _ = load_games([sgf.EXAMPLE], network.input.shape[1])
    shown = views.climbs(network, LAYER, UNIT, moves, seed=seed)
    flags, named = (f" --seed {seed}", f", seed={seed}") if seed else ("", "")
    pairs = zip(shown.found, shown.climbed, strict=True)
    rises = ", ".join(f"{each.response:.1f} to {more.response:.1f}" for each, more in pairs)
    return Section(
        title=f"What excites a filter of {LAYER}",
        asked="As with pictures: find the input that excites a filter most. Here it must be a position on a board.",
        picture=Picture(
            png(shown.picture),
            "Three positions from games that excite the filter, and beside each a board that excites it more",
            f"convsight go show example --layer {LAYER} --unit {UNIT}{flags}",
            "from convsight.go import data, sgf, views; moves, _ = data.load([sgf.EXAMPLE]); "
            f'views.climbs(load("go"), "{LAYER}", {UNIT}, moves{named})',
            smooth=True,
        ),
        finding="Left, three positions from games, with a frame around what the filter sees where it answers most; right, what "
        f"became of them by changing one point after the other (red), as long as the filter answered more: {rises}.",
    )


def _network(device: str) -> Network:
    network = load("go").to(device)
    network.module.eval()
    return network
