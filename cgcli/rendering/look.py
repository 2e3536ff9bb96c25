"""What may be chosen of a picture: one value for all of its options, checked once."""

from __future__ import annotations

from cgcli.errors import UsageError, did_you_mean
from cgcli.records import NamedTuple
from cgcli.rendering.themes import THEMES

RANKDIRS = ("auto", "LR", "TB", "RL", "BT")
SHOW = ("value", "grad", "tangent", "partial", "shape", "name", "formula")
BLANKS = ("value", "grad", "tangent", "partial")
_LONGEST_TITLE = 1000
ARRAYS = ("auto", "numbers", "heat", "shape")


class Look(NamedTuple):
    """How a picture looks.

    rankdir: the direction of the edges; auto: whichever leaves the larger text, LR where nothing is laid out.
    theme: one of THEMES. arrays: as numbers, heat maps or shapes; auto: numbers where they are few.
    precision: significant digits. fold: draw a constant beside an operator within it, and a long chain of + as one Σ.
    plain: names as they are typed, without Greek letters and subscripts.
    show: some of SHOW, what stands on cards and edges; none stands for all but partial and formula.
    transparent: no background. title: a line above the picture. legend: what stands where, in a line.
    blank: some of BLANKS: numbers that are left out, for a work sheet.
    flat: no clusters for calls of functions. depth: calls that stand in so many others are one box each; None: none is.
    around: the name of a node or a function that is drawn with what lies `radius` steps around it, 2 if None.
    tree: what is shared is drawn at each use.
    """

    rankdir: str = "auto"
    theme: str = "light"
    arrays: str = "auto"
    precision: int | None = None
    fold: bool = True
    plain: bool = False
    transparent: bool = False
    title: str = ""
    legend: bool = False
    show: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    flat: bool = False
    depth: int | None = None
    around: str = ""
    radius: int | None = None
    tree: bool = False

    def shows(self, what: str) -> bool:
        """Whether something stands in the picture where it is known."""
        return what in self.show if self.show else what not in ("partial", "formula")

    def check(self) -> None:
        """Raise UsageError for a word that is none of the possible ones, and a title that no picture has room for."""
        if len(self.title) > _LONGEST_TITLE:
            raise UsageError(f"the title has {len(self.title)} characters; the limit is {_LONGEST_TITLE}")
        for what, number in (("depth", self.depth), ("radius", self.radius)):
            if number is not None and number < 0:
                raise UsageError(f"the {what} is {number}, and must be 0 or more")
        if self.flat and self.depth is not None:
            raise UsageError("a picture is flat, or has calls as boxes from a depth on, not both")
        if self.radius is not None and not self.around:
            raise UsageError("a radius is that around a node", hint="say around which: --around NAME")
        for what, word, words in (
            ("direction", self.rankdir, RANKDIRS),
            ("theme", self.theme, tuple(THEMES)),
            ("form of arrays", self.arrays, ARRAYS),
            *(("thing to show", word, SHOW) for word in self.show),
        ):
            if word not in words:
                near = did_you_mean(word, words)
                raise UsageError(f"unknown {what} '{word}'", hint=f"{near} possible: {', '.join(words)}".lstrip())


DEFAULT = Look()
