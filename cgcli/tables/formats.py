"""The formats of rows: the table of their entries, and how files and data tell which one they have."""

from __future__ import annotations

import sys
from importlib import import_module
from os.path import splitext

from cgcli.errors import UsageError, did_you_mean
from cgcli.files import Draft
from cgcli.records import NamedTuple
from cgcli.tables.content import COMPRESSIONS
from cgcli.tables.output import Codec, Compressed, Output, StandardOutput, Writer
from cgcli.tables.remote import Upload, is_remote, split_uri


class Format(NamedTuple):
    """A format of rows.

    name: as -i and --to have it. title: as people call it. suffixes: of file names. module: of this room, which reads
    and writes the format, and is imported when that is done; it has a Codec under the name in capitals. magic: how
    binary data begin; none for text. lines: whether what is written can be read wherever a line ends, so that there is
    no end to write.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    module: str
    magic: tuple[bytes, ...] = ()
    lines: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it is text, in whatever encoding."""
        return not self.magic

    @property
    def has_marks(self) -> bool:
        """Whether a file says at its end what is no row."""
        return self.module == "columnar"

    @property
    def is_delimited(self) -> bool:
        """Whether it is text in cells, with a sign between them."""
        return self.module == "csv"

    @property
    def codec(self) -> Codec:
        """What reads and writes it."""
        found: Codec = getattr(import_module(f"cgcli.tables.{self.module}"), self.name.upper())
        return found


_ALL = (
    Format("csv", "CSV", (".csv",), "csv", lines=True),
    Format("tsv", "TSV", (".tsv", ".tab"), "csv", lines=True),
    Format("jsonl", "JSON lines", (".jsonl", ".ndjson"), "json", lines=True),
    Format("json", "JSON", (".json",), "json"),
    Format("parquet", "Parquet", (".parquet", ".pq"), "columnar", (b"PAR1",)),
    Format("arrow", "Arrow", (".arrow", ".feather", ".ipc"), "columnar", (b"ARROW1", b"\xff\xff\xff\xff")),
    Format("npy", "npy", (".npy",), "arrays", (b"\x93NUMPY",)),
    Format("npz", "npz", (".npz",), "arrays", (b"PK\x03\x04",)),
)
FORMATS = {entry.name: entry for entry in _ALL}
MAGIC = {magic: entry for entry in _ALL for magic in entry.magic}
ONLY_READ = ("xz",)  # of compressions
_BY_SUFFIX = {suffix: entry for entry in _ALL for suffix in entry.suffixes}


def format_named(name: str) -> Format:
    """The format with this name. Raises UsageError when there is none."""
    if name not in FORMATS:
        known = f"known: {', '.join(FORMATS)}"
        raise UsageError(f"unknown format '{name}'", hint=did_you_mean(name, FORMATS) or known)
    return FORMATS[name]


def split_name(name: str) -> tuple[Format | None, str | None]:
    """The format and the compression that the suffixes of a file name stand for; None where they say nothing."""
    stem, suffix = splitext((split_uri(name)[1] if is_remote(name) else name).lower())
    compression = COMPRESSIONS.get(suffix)
    if compression:
        suffix = splitext(stem)[1]
    return _BY_SUFFIX.get(suffix), compression


def format_of(name: str) -> Format:
    """The format that a file name stands for. Raises UsageError when its suffix is unknown."""
    found, _ = split_name(name)
    if found is None:
        suffix = splitext(name)[1]
        raise UsageError(
            f"'{name}' has no suffix of a known format" if suffix else f"'{name}' has no suffix that says its format",
            hint=did_you_mean(suffix, _BY_SUFFIX)
            or f"known: {', '.join(_BY_SUFFIX)}, each also with .gz, .zst or .bz2; or say it with --to",
        )
    return found


def format_by_magic(begin: bytes) -> Format | None:
    """The format of binary data that begin so; None for text, and for what cg does not know."""
    return next((entry for magic, entry in MAGIC.items() if begin.startswith(magic)), None)


def format_of_text(begin: bytes) -> Format:
    """The format of text that begins so; what is no JSON is CSV, with tabs TSV."""
    text = begin.lstrip()
    if text.startswith(b"["):
        return FORMATS["json"]
    if text.startswith(b"{"):
        return FORMATS["jsonl"]
    first_line = text.partition(b"\n")[0]
    return FORMATS["tsv" if b"\t" in first_line and b"," not in first_line else "csv"]


def open_writer(target: str | None, kind: Format) -> Writer:
    """A writer for a file, or for standard output when `target` is None.

    A file's suffix .gz, .zst or .bz2 compresses it; it may be the one that is being read, as it is
    replaced at the end. Raises UsageError for a binary format on a terminal, DataError when the
    file cannot be made.
    """
    if target is not None:
        compression = split_name(target)[1]
        if compression in ONLY_READ:
            raise UsageError(f"cannot write '{target}': cg only reads {compression}", hint="as in: -o rows.csv.zst")
        output: Output = Upload(target) if is_remote(target) else Draft(target)
        return kind.codec.writer(Compressed(output, compression) if compression else output, False)
    if not kind.is_text and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(
            f"{kind.name} is not for the terminal", hint=f"write a file, -o rows{kind.suffixes[0]}, or text: --to csv"
        )
    return kind.codec.writer(StandardOutput(lines=kind.lines), True)
