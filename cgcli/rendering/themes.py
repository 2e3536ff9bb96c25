"""The themes: one table of colours for each; every text on every fill has a contrast of at least 4.5 to 1."""

from __future__ import annotations

from cgcli.records import NamedTuple


class Role(NamedTuple):
    """How a kind of card is drawn: its fill and its border."""

    fill: str
    border: str


class Theme(NamedTuple):
    """The colours of a picture.

    ink, adjoint, tangent, grey: of texts. rule: of the line within a card. variable, data, operation, output: of cards;
    data are inputs that have no adjoint where others have one. low, middle, high: of heat maps.
    double: whether an output has a double border instead of a heavier one.
    """

    background: str
    ink: str
    grey: str
    rule: str
    edge: str
    adjoint: str
    tangent: str
    variable: Role
    data: Role
    operation: Role
    output: Role
    low: str
    middle: str
    high: str
    double: bool = False

    @property
    def panel(self) -> str:
        """The colour behind the cards of a call."""
        return mixed(self.background, self.rule, 0.25)


THEMES = {
    "light": Theme(
        background="#FFFFFF", ink="#1F2328", grey="#59636E", rule="#D1D9E0", edge="#6E7781", adjoint="#B42318",
        tangent="#0B5CAD", variable=Role("#DDF0FF", "#0B5CAD"), data=Role("#EEF1F4", "#59636E"),
        operation=Role("#FFFFFF", "#6E7781"), output=Role("#DDF5E4", "#1A7F37"), low="#3B6FB6", middle="#FFFFFF",
        high="#C44E2B",
    ),
    "dark": Theme(
        background="#0D1117", ink="#F0F6FC", grey="#A4ADB8", rule="#3D444D", edge="#9198A1", adjoint="#FF9B82",
        tangent="#8CC8FF", variable=Role("#12305A", "#6CB6FF"), data=Role("#262C36", "#A4ADB8"),
        operation=Role("#1A2029", "#8B949E"), output=Role("#123620", "#57D364"), low="#4C8DE0", middle="#1A2029",
        high="#F0764A",
    ),
    "print": Theme(
        background="#FFFFFF", ink="#000000", grey="#444444", rule="#BBBBBB", edge="#333333", adjoint="#000000",
        tangent="#222222", variable=Role("#E6E6E6", "#000000"), data=Role("#F4F4F4", "#000000"),
        operation=Role("#FFFFFF", "#000000"), output=Role("#FFFFFF", "#000000"), low="#FFFFFF", middle="#BFBFBF",
        high="#404040", double=True,
    ),
    "colorblind": Theme(  # of Okabe and Ito's colours, darkened where they are text
        background="#FFFFFF", ink="#000000", grey="#4D4D4D", rule="#CCCCCC", edge="#5A5A5A", adjoint="#A84400",
        tangent="#005A8C", variable=Role("#DCEEF9", "#0072B2"), data=Role("#EFEFEF", "#5A5A5A"),
        operation=Role("#FFFFFF", "#5A5A5A"), output=Role("#D9F1E8", "#00795A"), low="#0072B2", middle="#FFFFFF",
        high="#D55E00",
    ),
}  # fmt: skip


def mixed(first: str, second: str, share: float) -> str:
    """A colour between two; share: that of the second, from 0 to 1."""
    parts = (
        round(int(first[at : at + 2], 16) * (1 - share) + int(second[at : at + 2], 16) * share) for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02X}" for part in parts)
