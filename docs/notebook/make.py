#!/usr/bin/env python3
"""Makes ../notebook.md and the pictures beside this file, out of the cells of cells.py.

    python make.py RECORDING [--to FOLDER | --check]

RECORDING: what `kcf record --from-soak 7 --profile trading --to RECORDING` makes, so that everybody's page is the
same. Needs the wheel, matplotlib and polars. `--to`: writes into another folder. `--check` writes nothing, and says what would
be different: 1 if anything is. (Another version of a library may draw another picture.)

A cell begins with a line `# %%`. `# %% [markdown]`: its comments are the page's text. Otherwise it is run, and what
it prints and draws follows it. A cell that ends in an expression shows what that is.
"""

import argparse
import ast
import contextlib
import io
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
# The same picture each time: no date in it, and names of its parts that are not drawn.
matplotlib.rcParams["svg.hashsalt"] = "kucoin-futures"
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["figure.figsize"] = (9, 4)
matplotlib.rcParams["path.simplify_threshold"] = 1.0

from matplotlib import pyplot  # noqa: E402

HERE = Path(__file__).parent


def cells():
    """Each with its kind, "markdown" or "python", and its lines."""
    kind, lines = None, []
    for line in (HERE / "cells.py").read_text().splitlines():
        if line.startswith("# %%"):
            if kind:
                yield kind, lines
            kind, lines = ("markdown" if "[markdown]" in line else "python"), []
        else:
            lines.append(line)
    yield kind, lines


def run(source, scope):
    """Runs a cell; what it printed, and what its last expression is."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "cell", "exec"), scope)
        if last:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), scope)
            if value is not None:
                print(value)
    return said.getvalue().rstrip()


def pictures(number):
    """What the cell has drawn."""
    for place, figure in enumerate(pyplot.get_fignums()):
        drawn = io.StringIO()
        pyplot.figure(figure).savefig(drawn, format="svg", metadata={"Date": None}, bbox_inches="tight")
        # What comes behind in a line is nothing to see.
        text = "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"
        yield f"{number:02}{'abc'[place] if place else ''}.svg", text
    pyplot.close("all")


def make(recording):
    """The page, and its pictures by name."""
    page, drawn, scope = [], {}, {"RECORDING": str(recording)}
    for number, (kind, lines) in enumerate(cells()):
        text = "\n".join(lines).strip()
        if kind == "markdown":
            page.append("\n".join(line.removeprefix("#").removeprefix(" ") for line in text.splitlines()))
            continue
        page.append(f"```python\n{text}\n```")
        if said := run(text, scope):
            page.append(f"```text\n{said}\n```")
        for name, picture in pictures(number):
            drawn[name] = picture
            page.append(f"![what the cell above draws](notebook/{name})")
    return "\n\n".join(page) + "\n", drawn


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("recording", type=Path)
    parser.add_argument("--to", type=Path, default=HERE.parent)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    page, drawn = make(args.recording)
    folder = args.to / HERE.name
    files = {args.to / "notebook.md": page} | {folder / name: text for name, text in drawn.items()}
    if not args.check:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text)
        print(f"{args.to / 'notebook.md'} and {len(drawn)} pictures")
        return 0
    different = [path.name for path, text in files.items() if not path.exists() or path.read_text() != text]
    print("differs: " + ", ".join(different) if different else "the page is as it would be made")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
