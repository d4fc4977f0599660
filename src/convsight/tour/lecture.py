"""The lecture's twelve rows: what it claims in each, and the functions that tell it, as topic and name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`number`: of L1 to L12. `sections`: functions of this package, `(seed, device) -> Section`, in their order."""

    number: int
    part: str
    title: str
    claim: str
    sections: tuple[str, ...]

    @property
    def name(self) -> str:
        """As everywhere in the documentation: L1 to L12."""
        return f"L{self.number}"


_SEES, _USES, _PRINCIPLE = "What does a CNN do?", "Applications", "The principle"

_ROWS = (
    Row(
        1, _SEES, "The first layer looks at pixels",
        "A filter of the first layer is 3x3 weights that look straight at nine pixels, so they can be read as a picture: it "
        "shows what the filter detects.",
        ("digits.first_filters", "photographs.filters"),
    ),
    Row(
        2, _SEES, "Filters behind it: activation maximisation",
        "A filter of the second layer spans 25 channels and sees far more than nine pixels; its weights say nothing. Find the "
        "input that maximises its degree of activation, the sum of its map: each detects a texture, lines of one direction.",
        ("digits.second_filters", "photographs.edges", "photographs.textures", "photographs.parts"),
    ),
    Row(
        3, _SEES, "Fully connected neurons",
        "After flattening, a neuron sees the whole picture. What excites it most is no longer a texture but a figure.",
        ("digits.neurons",),
    ),
    Row(
        4, _SEES, "Classes, bare",
        "The best input for “1” ought to look like a 1. It doesn't: it looks like noise.",
        ("digits.bare", "photographs.classes"),
    ),
    Row(
        5, _SEES, "Classes with L1",
        "Ink should be rare. Maximise y_i minus the sum of |x_ij|, and the result is somewhat better.",
        ("digits.with_l1", "digits.from_many_views", "digits.held_to_digits"),
    ),
    Row(
        6, _SEES, "Deep Dream",
        "Take what a layer answers to a photograph, make the positive more positive and the negative more negative, and "
        "change the photograph accordingly: the network exaggerates what it sees.",
        ("photographs.dream_of_lines", "photographs.dream_of_curls", "photographs.dream_of_arches"),
    ),
    Row(
        7, _SEES, "Deep Style",
        "Content is what the filters answer; style is how their answers go together. One picture can have the content of one "
        "picture and the style of another.",
        ("photographs.style_of_a_flower",),
    ),
    Row(
        8, _USES, "Go: learning from records, then from itself",
        "A board is a picture of 19x19 points with 48 numbers each. Given the moves so far, the next one is 1 and all other "
        "points are 0: so a network learns to play from records, and then by playing against itself.",
        ("go.expected", "go.improved"),
    ),
    Row(
        9, _USES, "Go: no pooling",
        "Zeros around the board, filters of 5x5, then of 3x3, layer after layer, and no max pooling: small patterns recur all "
        "over a board, but without every other row it would be another game.",
        ("go.filters", "go.excited"),
    ),
    Row(
        10, _USES, "Speech: filters that move along frequency",
        "A man's and a woman's “ni hao” differ only by a shift in frequency, so filters span the time window and move along "
        "frequency only; time is the LSTM's, and to convolve along it too is of no further help.",
        ("speech.shifted", "speech.looked_like"),
    ),
    Row(
        11, _USES, "Text: filters that move along time",
        "A sentence is a picture of word vectors. Filters are as high as a vector and move along the words only: a vector's "
        "numbers are independent, no pattern recurs among them, and to move there is of no use. Then max pooling over time.",
        ("text.decided", "text.looked_for", "text.along_time_only"),
    ),
    Row(
        12, _PRINCIPLE, "Three properties, and a network for each application",
        "Small patterns that recur call for convolution; an object that subsampling does not change calls for max pooling. "
        "Which of these hold is up to the application: design its network for it, and copy none blindly.",
        ("principle.asked",),
    ),
)  # fmt: skip

ROWS: Mapping[int, Row] = {each.number: each for each in _ROWS}
