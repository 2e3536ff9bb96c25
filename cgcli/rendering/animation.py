"""Pictures of one size as an animated GIF."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.errors import MissingProgramError

_PAUSE, _LAST = 900, 3000  # milliseconds: between pictures, and after the last one
_COLOURS = 64
_SAMPLES = 3  # pictures that the colours are chosen by, the last one among them, by every second dot each way


def as_gif(pngs: Sequence[bytes], background: str) -> bytes:
    """Pictures one after the other, over and over. background: the colour behind what is transparent.

    Raises MissingProgramError where there is no Pillow.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingProgramError(
            "an animation needs the package pillow, which was not found",
            hint="pip install pillow, or write the pictures one by one: -o step-%02d.png",
        ) from error
    from io import BytesIO

    pictures = []
    for png in pngs:
        with Image.open(BytesIO(png)) as opened:
            drawn: Image.Image = opened
            if "A" in opened.getbands() and opened.getchannel("A").getextrema() != (255, 255):
                drawn = Image.alpha_composite(Image.new("RGBA", opened.size, background), opened.convert("RGBA"))
            pictures.append(drawn.convert("RGB"))
    wide, high = (-(-side // 2) for side in pictures[0].size)
    samples = [
        picture.resize((wide, high), Image.Resampling.NEAREST)
        for picture in pictures[:: -max(1, len(pictures) // _SAMPLES)]
    ]
    together = Image.new("RGB", (wide, high * len(samples)))
    for at, sample in enumerate(samples):
        together.paste(sample, (0, at * high))
    colours = together.quantize(_COLOURS, dither=Image.Dither.NONE)
    first, *others = [picture.quantize(palette=colours, dither=Image.Dither.NONE) for picture in pictures]
    made = BytesIO()
    first.save(made, "GIF", save_all=True, append_images=others, loop=0, disposal=1,
               duration=[*[_PAUSE] * len(others), _LAST])  # fmt: skip
    return made.getvalue()
