"""The formats of rows: their names, the suffixes that stand for them, and how they are told apart."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from cgcli.errors import UsageError, did_you_mean


class Format(NamedTuple):
    """A format of rows.

    suffixes: of file names. text: whether rows follow each other as lines, so that they can be streamed.
    """

    name: str
    suffixes: tuple[str, ...]
    text: bool


_ALL = (
    Format("csv", (".csv",), text=True),
    Format("tsv", (".tsv", ".tab"), text=True),
    Format("jsonl", (".jsonl", ".ndjson"), text=True),
    Format("json", (".json",), text=True),
    Format("parquet", (".parquet", ".pq"), text=False),
    Format("arrow", (".arrow", ".feather", ".ipc"), text=False),
    Format("npy", (".npy",), text=False),
    Format("npz", (".npz",), text=False),
)
FORMATS = {item.name: item for item in _ALL}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}  # suffixes, and pyarrow's names

_BY_SUFFIX = {suffix: item for item in _ALL for suffix in item.suffixes}
MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
}


def split_name(name: str) -> tuple[Format | None, str | None]:
    """The format and the compression that the suffixes of a file name stand for; None where they say nothing."""
    path = PurePath(name.lower())
    compression = COMPRESSIONS.get(path.suffix)
    suffix = PurePath(path.stem).suffix if compression else path.suffix
    return _BY_SUFFIX.get(suffix), compression


def format_of(name: str) -> Format:
    """The format that a file name stands for. Raises UsageError when its suffix is unknown."""
    found, _ = split_name(name)
    if found is None:
        suffix = PurePath(name).suffix
        raise UsageError(
            f"'{name}' has no suffix of a known format" if suffix else f"'{name}' has no suffix that says its format",
            hint=did_you_mean(suffix, _BY_SUFFIX)
            or f"known: {', '.join(_BY_SUFFIX)}, each also with .gz or .zst; or say it with --to",
        )
    return found


def format_by_magic(begin: bytes) -> Format | None:
    """The format of binary data that begin so; None for text, and for what cg does not know."""
    return next((FORMATS[name] for magic, name in MAGIC.items() if begin.startswith(magic)), None)


def format_of_text(begin: bytes) -> Format:
    """The format of text that begins so; what is no JSON is CSV, with tabs TSV."""
    text = begin.lstrip()
    if text.startswith(b"["):
        return FORMATS["json"]
    if text.startswith(b"{"):
        return FORMATS["jsonl"]
    first_line = text.partition(b"\n")[0]
    return FORMATS["tsv" if b"\t" in first_line and b"," not in first_line else "csv"]
