"""`convsight text explain` and `convsight text show`: which words decide, and which each filter looks for."""

from __future__ import annotations

import os
from html import escape
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from convsight.cli.terminal import say, show_table
from convsight.cli.text_options import LabelColumn, TextColumn, TextNetwork
from convsight.files import check_ending, check_writable, written_whole
from convsight.pictures import write_png

if TYPE_CHECKING:
    from convsight.text.data import Labelled
    from convsight.text.model import Classifier
    from convsight.text.show import Explanation


def explain(
    text: Annotated[str, typer.Argument(help="What to classify.")],
    network: TextNetwork = "text",
    most: Annotated[int, typer.Option("--ngrams", min=0, help="How many n-grams to list.")] = 10,
    out: Annotated[Path | None, typer.Option(help="Also write it as a web page (.html) or a picture (.png).")] = None,
) -> None:
    """Colour the words that decide, and list the n-grams that do, each with what its filter contributes.

    Example: convsight text explain "a quiet, moving film"
    """
    from convsight.text import show, views
    from convsight.text.data import decoded
    from convsight.text.model import load_classifier

    if out:
        check_ending(out, ".html", ".png")
        check_writable(out)
    opened = load_classifier(network)
    text = decoded(os.fsencode(text))
    told = show.explain(opened, text)
    number = told.labels.index(told.label)
    say(f"{told.label}, {float(opened.probabilities([text])[0, number]):.0%}")
    Console(highlight=False).print(_coloured(told), soft_wrap=True)
    table = Table(f"n-gram, for {told.label}", "filter", *(f"{each}" for each in told.labels))
    for part in told.parts[:most]:
        table.add_row(str(part.ngram), str(part.filter), *(f"{each:+.3f}" for each in part.contribution))
    rest = [sum(part.contribution[each] for part in told.parts[most:]) for each in range(len(told.labels))]
    table.add_row(f"{max(0, len(told.parts) - most)} other filters", "", *(f"{each:+.3f}" for each in rest))
    table.add_row("the same for every text", "", *(f"{each:+.3f}" for each in told.bias))
    table.add_section()
    table.add_row("logit", "", *(f"{each:+.3f}" for each in told.logits))
    show_table(table)
    if out and out.suffix.lower() == ".png":
        write_png(views.decision(opened, text, most=most).picture, out)
        say(f"The same as a picture: {out}")
    elif out:
        page = f"<!doctype html><meta charset=utf-8><title>{escape(told.label)}</title>{told._repr_html_()}"
        with written_whole(out) as temporary:
            temporary.write_text(page, encoding="utf-8")
        say(f"The same as a page: {out}")


def show(
    network: TextNetwork = "text",
    number: Annotated[
        int | None, typer.Option("--filter", min=0, help="Default: three that weigh most for each class.")
    ] = None,
    texts: Annotated[str | None, typer.Option(help="Texts to look for what excites them, as for `text train`.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    out: Annotated[Path | None, typer.Option(help="Also draw the n-grams that were found exactly: a PNG.")] = None,
) -> None:
    """Say which words a filter looks for: the n-gram that it answers most to, found exactly, and those of real texts.

    Example: convsight text show --texts reviews.csv

    Example: convsight text show --filter 17 --texts mr/
    """
    from convsight.text import data, views
    from convsight.text import show as showing
    from convsight.text.model import load_classifier

    if out:
        check_ending(out, ".png")
        check_writable(out)
    opened = load_classifier(network)
    known = data.load(texts, text=text_column, label=label_column) if texts else None
    seen = views.looked_for(opened, number)
    thresholds = showing.thresholds(opened, known.texts, known.numbers(opened.network.labels)) if known else []
    for each, best, label in zip(seen.numbers, seen.found, seen.labels, strict=True):
        say(f"Filter {each}, for {label}: {best} ({best.answer:.2f}), of all n-grams of its words")
        table = Table(*(f"word {slot + 1}" for slot in range(len(best.words))))
        for row in zip(*showing.best_words(opened, each), strict=True):
            table.add_row(*row)
        show_table(table)
        if known:
            _of_texts(opened, each, known, thresholds[each])
    if out:
        write_png(seen.picture, out)
        say(f"The same as a picture: {out}")


def _of_texts(opened: Classifier, number: int, known: Labelled, threshold: float) -> None:
    from convsight.text import show as showing

    found = showing.exciting(opened, number, known.texts)
    telling = isfinite(threshold)
    say(f"it tells something from {threshold:.2f} on" if telling else "none of its answers to these texts tells their class")
    table = Table("n-gram of the texts", "answer", "one word other, and it says nothing")
    for ngram in found:
        others = showing.negatives(opened, number, ngram, threshold, count=1) if telling else []
        table.add_row(str(ngram), f"{ngram.answer:.2f}", str(others[0]) if others else "")
    show_table(table)


def _coloured(told: Explanation) -> Text:
    text = Text()
    for word, weight in zip(told.words, told.weights(), strict=True):
        shade = int(200 * abs(weight))
        colour = f"rgb(0,{shade},{shade // 3})" if weight > 0 else f"rgb({shade},0,{shade // 5})"
        text.append(word, style=f"bold white on {colour}" if shade > 20 else "").append(" ")
    return text
