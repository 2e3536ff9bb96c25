"""How CSV and TSV are spelled: what stands between cells, in numbers, and for nothing; and what options say of it."""

from __future__ import annotations

import re
from itertools import chain

from cgcli.annotations import TYPE_CHECKING, Collection, Iterator, Mapping, Sequence
from cgcli.errors import UsageError, did_you_mean
from cgcli.records import EMPTY, NamedTuple
from cgcli.tables.bounds import MAX_RECORD
from cgcli.tables.escapes import unescaped
from cgcli.tables.types import TYPES

if TYPE_CHECKING:
    import pyarrow as pa

_DIGITS = r"[0-9]"
_OTHER_NUMBERS = r"^\s*([-+]?(?i:nan|inf|infinity)|(?i:true|false)|[-+]?0[xX][0-9a-fA-F]+|\[.*)\s*$"
_WITH_POINT = r"^\s*[-+]?[0-9]*\.[0-9]*([eE][-+]?[0-9]+)?\s*$"
_WORDS = {"tab": "\t", r"\t": "\t", "blank": " ", "blanks": " ", "space": " "}
_NO_SEPARATOR = r'[\w."\\\r\n+-]'
_EXAMPLES = {"delimiter": "as in: --delimiter ';', or tab, or blanks", "decimal": "as in: --decimal ,",
             "thousands": "as in: --thousands ."}  # fmt: skip


class Dialect(NamedTuple):
    r"""How cells stand side by side, and what stands in them.

    separator: the character between them; a blank stands for a run of blanks and tabs. quotes: whether a cell with a
    separator, a quote or a line's end in it stands in quotes, as in CSV. Else, as IANA and Miller have TSV, a row is a
    line, quotes stand for themselves, and a tab, newline, carriage return and backslash are spelled `\t`, `\n`, `\r`
    and `\\`. decimal, thousands: the signs in numbers, the latter "" for none. nothing: cells that stand for none.
    comments: whether there are blank lines instead of some.
    """

    separator: str
    quotes: bool
    decimal: str = "."
    thousands: str = ""
    nothing: tuple[str, ...] = ()
    comments: bool = False

    def has_quotes(self, text: bytes) -> bool:
        """Whether quotes of the text may open and close cells."""
        return self.quotes and b'"' in text

    def has_blank_rows(self, columns: int) -> bool:
        """Whether a blank line is a row: an empty cell alone. Where comments are left out, it may have been one."""
        return columns == 1 and not self.comments

    @property
    def spells_numbers(self) -> bool:
        """Whether numbers, or cells without any, are not spelled as everywhere."""
        return (self.decimal, self.thousands, self.nothing) != (".", "", ())

    @property
    def has_words(self) -> bool:
        """Whether there may be cells that are text here, and numbers elsewhere."""
        return self.decimal != "."

    def plain(self, cells: pa.Array) -> pa.Array:
        """The text for which cells stand, numbers as other formats have them."""
        cells = cells if self.quotes else unescaped(cells)
        return self.numbers(cells) if self.spells_numbers else cells

    def numbers(self, cells: pa.Array, *, only: bool = False) -> pa.Array:
        """The cells, with numbers spelled as everywhere and nothing in those that stand for none.

        only: leave nothing in a cell that is no number of this dialect either, such as 1.5 where the sign is a comma.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        found = cells
        if self.nothing:
            words = pa.array(self.nothing, pa.string())
            found = pc.if_else(pc.is_in(pc.utf8_trim_whitespace(found), words), "", found)
        if (self.decimal, self.thousands) == (".", ""):
            return found
        is_number = pc.match_substring_regex(found, self._number)
        plain = pc.replace_substring(found, self.thousands, "") if self.thousands else found
        plain = pc.replace_substring(plain, self.decimal, ".")
        rest = pc.if_else(pc.match_substring_regex(found, _OTHER_NUMBERS), found, "") if only else found
        return pc.if_else(is_number, plain, rest)

    def words(self, cells: pa.Array) -> pa.Array | None:
        """Which cells are text here, and would be numbers elsewhere: 2.000 where the sign is a comma; None for none."""
        import pyarrow.compute as pc

        found = pc.and_not(pc.match_substring_regex(cells, _WITH_POINT), pc.match_substring_regex(cells, self._number))
        return found if pc.any(found).as_py() else None

    @property
    def _number(self) -> str:
        whole, point = f"{_DIGITS}+", re.escape(self.decimal)
        if self.thousands:
            whole = f"({whole}|{_DIGITS}{{1,3}}({re.escape(self.thousands)}{_DIGITS}{{3}})+)"
        return rf"^\s*[-+]?({whole}({point}{_DIGITS}*)?|{point}{_DIGITS}+)([eE][-+]?{_DIGITS}+)?\s*%?\s*$"


class Reading(NamedTuple):
    """What the command line says of text that is read.

    header: whether the first row holds the names. delimiter, decimal, thousands: the signs, None where nothing is said.
    nothing: cells that stand for none. comment: what a line begins with that is no row, "" for none.
    wanted: the names of columns that are looked at, the text of the others passes on; None where all columns are
    looked at. like: the module of the formats whose own text passes on, "" for that of the input.
    types: of columns, by name, as types.TYPES has them. alone: whether one thread does it all.
    """

    header: bool = True
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    nothing: tuple[str, ...] = ()
    comment: str = ""
    wanted: Collection[str] | None = None
    like: str = ""
    types: Mapping[str, str] = EMPTY
    alone: bool = False

    @property
    def option(self) -> str:
        """An option that was given and is for CSV and TSV alone; "" where there is none."""
        given = {"--delimiter": self.delimiter, "--decimal": self.decimal, "--thousands": self.thousands,
                 "--null": self.nothing, "--comment": self.comment}  # fmt: skip
        return next((name for name, value in given.items() if value), "")

    def of(self, dialect: Dialect) -> Dialect:
        """A dialect with what is said of it. Raises UsageError for signs that stand for two things."""
        found = dialect._replace(
            separator=self.delimiter or dialect.separator,
            decimal=self.decimal or ".",
            thousands=self.thousands or "",
            nothing=self.nothing,
            comments=bool(self.comment),
        )
        signs = {found.separator: "the delimiter"}
        for sign, name in ((found.decimal, "the decimal sign"), (found.thousands, "the sign of thousands")):
            in_quotes = found.quotes and (sign, signs.get(sign)) == (found.thousands, "the delimiter")  # "1,200"
            if sign in signs and not in_quotes:
                own = self.delimiter or sign != found.separator
                hint = "each needs a sign of its own" if own else "say what stands between cells: --delimiter ';'"
                raise UsageError(f"'{sign}' is {signs[sign]} and {name}", hint=hint)
            signs[sign] = name
        return found

    def tidied(self, pieces: Iterator[bytes], dialect: Dialect) -> Iterator[bytes]:
        """The text with blank lines instead of comments, and, where blanks are between cells, one at a time.

        What stands in quotes stays as it is.
        """
        if not self.comment and self.delimiter != " ":
            yield from pieces
            return
        separator = self.delimiter or dialect.separator
        before = re.escape(("\n\r \t" if separator == " " else f"\n\r{separator}").encode())
        quoted = rb'(?:(?<=[%b])|\A)"(?:[^"]++|"")*+"?' % before if dialect.quotes else b"(?!)"
        comment = rb"^[ \t]*%b.*" % re.escape(self.comment.encode()) if self.comment else b"(?!)"
        blanks = rb"^[ \t]+|[ \t]+$|(?P<between>[ \t]+)" if separator == " " else b"(?P<between>(?!))"
        pattern = re.compile(b"(?m)(?P<quoted>%b)|%b|%b" % (quoted, comment, blanks))
        rest = b""
        for piece in chain(pieces, [b""]):
            text, newline, rest = (rest + piece).rpartition(b"\n") if piece else (rest, b"", b"")
            *_, last = (None, *pattern.finditer(text)) if b'"' in text else (None,)
            is_open = last is not None and last["quoted"] and last.end() == len(text) and last["quoted"].count(b'"') % 2
            if piece and last is not None and is_open and len(text) - last.start() < MAX_RECORD:
                text, newline, rest = text[: last.start()], b"", text[last.start() :] + newline + rest
            if text or newline:
                yield pattern.sub(_tidied, text) + newline


def _tidied(found: re.Match[bytes]) -> bytes:
    """What stands for a piece of text: a quoted cell for itself, one blank for several, nothing for a comment."""
    return found["quoted"] or (b" " if found["between"] else b"")


AS_EVERYWHERE = Reading()


def sign(text: str | None, option: str) -> str | None:
    """The sign that the text of an option stands for. Raises UsageError when it can be none."""
    if text is None:
        return None
    found = _WORDS.get(text, text) if option == "delimiter" else text
    is_known = found.isascii() or (option != "delimiter" and not found.isalnum())
    if len(found) != 1 or not is_known or (re.match(_NO_SEPARATOR, found) and found not in ".'_"):
        raise UsageError(f"--{option} is one sign, and not '{text}'", hint=_EXAMPLES[option])
    if found == "." and option == "delimiter":
        raise UsageError("the point stands in numbers, and not between cells", hint=_EXAMPLES[option])
    return found


def types_of(texts: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """The types of columns by name, from options `--types x=double,id=text` and `--text id`.

    Raises UsageError for what names no type, and for a column that has two.
    """
    pairs = [pair.rpartition("=") for text in texts for pair in text.split(",")]
    found: dict[str, str] = {}
    for name, equals, kind in [*pairs, *((name, "=", "text") for text in columns for name in text.split(","))]:
        if not equals or not name or kind not in TYPES:
            near = did_you_mean(kind, TYPES) if equals else ""
            raise UsageError(f"--types '{name}{equals}{kind}' gives no type to a column",
                             hint=near or f"as in: --types x=double,id=text; types are {', '.join(TYPES)}")  # fmt: skip
        if found.setdefault(name, kind) != kind:
            raise UsageError(f"column '{name}' has two types, {found[name]} and {kind}", hint="give one for each")
    return found
