"""docs/compatibility.md as text: every cell of its tables is what a test noted when it passed."""

from __future__ import annotations

from collections.abc import Iterable

from .checked_run import BOUND

_PAGE = """\
# What LiDAR works with

The tests write this page: `python3 dev.py test tests/host/compatibility --write-page`. They fail where it is not what they found.
All of it ran in ComfyUI 0.30.0 on a CPU, in float32.

## How to read it

Each model is the host's own class at tiny size with **random weights**. So the tables say that the mathematics is right and
that nothing is lost on the way. They say nothing about how good pictures become; for that see [benchmarks](benchmarks.md).

**"3 of 4"** in a cell means that one way to sample was run three times, and that all of this held:
- With `guidance_scale` 0 the result is the host's own, bit for bit.
- Guided, 3 of the 4 steps moved. At each of their evaluations the move is that of the formula in float64, computed anew in the test.
  The error is below {bound} of the move (or of a hundredth of the prediction, if that is more).
- All other evaluations stayed as they were, bit for bit.
- The node said "guided 3 of 4 steps". The test counted them by the noise levels that the sampler really asked for.

**"-"** was not run: the node is not made for that family, or would change what is compared. {cells} cells were compared in this way.

Not run at all: real weights, half precision, a GPU, several GPUs, other packs' nodes, models that are not in these tables.

## Families

`end_percent` 0.6 of this run, 4 steps, two images, cfg 2. `dpmpp_2m` with the form *difference*, the others with *blend*.

{families}

## Ways to sample

"0 of 4" at DualModelGuider with cfg 1: that guider never asks for guidance, and the node says so.
LiDAR on its `model_negative` guides nothing; the node says that too. Connect LiDAR to `model`.

{modes}

What guiders make of the move; the node says it where it is not "once":

{guiders}

## Other patches and LoRA

Each changes the result by itself, which the test asserts too. "Before LiDAR" means that LiDAR Apply Guidance comes after the node.
RenormCFG and TemporalScoreRescaling fail with a batch in ComfyUI itself; they ran with one image. LazyCache leaves out
whole evaluations and LiDAR's move with them, which the node's count shows. HyperTile was not run: it does nothing to latents
as small as these.

{patches}

## Samplers and schedulers

Every sampler with every scheduler (SD1.5), with `simple` (Flux), and `euler` with every scheduler (both): "3 of 4 with 9"
means that nine schedulers gave 3 of 4. Samplers that evaluate elsewhere than at the steps' levels may count fewer.
The network is one line of arithmetic here, since a sampler sees only its predictions.

{samplers}

## Steps that are guided

Each preset that guides, every scheduler, EPS (SD1.5) and flow (Flux), 20 steps. Presets that guide the same share of the steps
stand together; the first of them ran. *recommended* continues the best candidates and guides nothing.

**LiDAR KSampler** counts start and end within the steps that are sampled. With all schedulers, EPS and flow alike:

{this_run}

**LiDAR Apply Guidance** by default means shares of the whole process, as ControlNet does; so a low denoise may begin behind the end.
Where no step is guided the node says so and which number to change: "0, told", in {guided_none} of these cells.
`percent_of` "this run" gives the table above.

{whole_process}
"""


class Notes:
    """Texts by table, row and column, in the order in which they were noted; how many cells were measured, the largest error."""

    def __init__(self):
        self.tables: dict[str, dict[str, dict[str, str]]] = {}
        self.errors: list[float] = []

    def add(self, table: str, row: str, column: str, text: object) -> None:
        cells = self.tables.setdefault(table, {}).setdefault(row, {})
        assert cells.setdefault(column, str(text)) == str(text), f"{table}, {row}, {column}: {cells[column]} and {text}"

    def measure(self, cell) -> None:
        self.errors.append(cell.error)

    def markdown(self, table: str, first: str) -> str:
        """Return the table, with "-" for what was not run; first: what its rows are."""
        rows = self.tables[table]
        columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
        lines = [_line([first, *columns]), _line(["---"] * (1 + len(columns)))]
        return "\n".join(
            lines + [_line([row, *(cells.get(each, "-") for each in columns)]) for row, cells in rows.items()]
        )

    def page(self) -> str:
        """Return docs/compatibility.md."""
        guided_none = sum(
            text == "0, told" for cells in self.tables["whole process"].values() for text in cells.values()
        )
        return _PAGE.format(
            cells=len(self.errors),
            bound=f"{BOUND:g}",
            families=self.markdown("families", "family"),
            modes=self.markdown("modes", "way to sample"),
            guiders=self.markdown("guiders", "guider"),
            patches=self.markdown("patches", "node before or after LiDAR"),
            samplers=self.markdown("samplers", "sampler"),
            this_run=self.markdown("this run", "start to end"),
            whole_process=self.markdown("whole process", "start to end: scheduler"),
            guided_none=guided_none,
        )


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
