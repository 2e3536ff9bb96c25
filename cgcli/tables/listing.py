"""Which files a name of data stands for: one, those of a folder, those that a pattern matches; here or in a store."""

from __future__ import annotations

import os
import re
from itertools import chain

from cgcli.annotations import TYPE_CHECKING, Iterable, Iterator, Sequence
from cgcli.errors import DataError
from cgcli.records import NamedTuple
from cgcli.tables.formats import split_name
from cgcli.tables.remote import failed, file_at, is_remote, shown, split_uri

if TYPE_CHECKING:
    from cgcli.tables.content import Content

    Key = int | float | str | None

_WILD = re.compile(r"[*?[]")
_SIGNS = re.compile(r"\*\*/|\*\*$|\*|\?|\[!?\]?[^]/]*\]|.", re.DOTALL)
_HIDDEN = ("_", ".")  # what the names of files begin with that are no data: of logs, marks, drafts
_NOTHING = "__HIVE_DEFAULT_PARTITION__"
_LOCAL = "file://"
_MOST = 150_000  # files and folders below one of this machine
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


class Source(NamedTuple):
    """A file of rows.

    name: its path, or its URI. below: its path below the folder that was asked for, or the part of a pattern that
    matches but one. keys: what the folders on the way say of all its rows, `year=2024`. size, time: where it was
    listed; time in nanoseconds. begins: whether the types of its columns come before its rows, where it has types.
    content: what it holds, where that has been looked at and can be read once.
    """

    name: str
    below: str = ""
    keys: tuple[tuple[str, Key], ...] = ()
    size: int = -1
    time: int = -1
    begins: bool = False
    content: Content | None = None


def is_pattern(name: str) -> bool:
    """Whether a name stands for those that it matches: it has one of `*?[`, and no file is called so."""
    return bool(_WILD.search(split_uri(name)[1] if is_remote(name) else name)) and not os.path.exists(name)


def listed(names: Sequence[str], *, of_any_name: bool = False) -> list[Source]:
    """The files that names stand for, those of one name in the order of their own.

    of_any_name: whether their suffixes need not say a format. Raises DataError where there is none, or a folder holds
    files of no known format.
    """
    return [*chain.from_iterable(_files(name, of_any_name=of_any_name) for name in names)]


def _files(name: str, *, of_any_name: bool) -> list[Source]:
    if name.startswith(_LOCAL):
        name = file_at(name)[1]
    if not is_remote(name) and not is_pattern(name) and not os.path.isdir(name):
        return [Source(name, os.path.basename(name))]
    base, pattern = _parted(name) if is_pattern(name) else (name, "")
    found = files_below(base, recursive=not pattern or "/" in pattern or "**" in pattern)
    if found is None and not pattern:
        return [Source(name, os.path.basename(split_uri(name)[1]))]
    matches = re.compile("".join(map(_matching, _SIGNS.findall(pattern))) if pattern else ".*")
    chosen = [each for each in found or () if matches.fullmatch(each.below) and not _is_hidden(each.below, pattern)]
    if not chosen:
        said = f"no file matches '{shown(name)}'" if pattern else f"there is no file of rows in '{shown(name)}'"
        raise DataError(said, hint="a bracket in a name is written so: [[]" if "[" in pattern else "")
    strange = [each.name for each in chosen if split_name(each.name)[0] is None]
    if strange and not pattern and not of_any_name:
        hint = "name those to read by a pattern in quotes, 'data/*.csv', or say the format: -i csv"
        raise DataError(f"'{shown(strange[0])}' is in the folder, and has no suffix of a known format", hint=hint)
    return _with_keys(sorted(chosen, key=lambda each: each.below))


def files_below(base: str, *, recursive: bool = True) -> list[Source] | None:
    """What lies below a folder, nothing where there is none; None where it is a file.

    Raises DataError for more files than any data has, and for a folder that cannot be read.
    """
    if not is_remote(base):
        return None if os.path.isfile(base.rstrip("/")) else [*_files_here(base, recursive=recursive)]
    from pyarrow import fs

    begin, given, query = split_uri(base)
    user = given[: given.partition("/")[0].rfind("@") + 1]
    filesystem, path = file_at(base)
    path = path.rstrip("/") or path
    try:
        if filesystem.get_file_info(path).type == fs.FileType.File:
            return None
        infos = filesystem.get_file_info(fs.FileSelector(path, recursive=recursive, allow_not_found=True))
    except OSError as error:
        raise failed("read", base, error) from None
    start = len(path.rstrip("/")) + 1
    return [Source(f"{begin}{user}{info.path}{query}", info.path[start:], (), info.size, info.mtime_ns)
            for info in infos if info.type == fs.FileType.File]  # fmt: skip


def _files_here(base: str, *, recursive: bool) -> Iterator[Source]:
    """The files below a folder of this machine; links are followed, but not one to a folder around it."""
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    count = 0
    while waiting:
        below, around = waiting.pop()
        folder = os.path.join(base, below)
        try:
            about = os.stat(folder or ".")
            if (about.st_dev, about.st_ino) in around:
                continue
            with os.scandir(folder or ".") as entries:
                for entry in entries:
                    count += 1
                    if count > _MOST:
                        hint = "name a folder below it, or a pattern in quotes: 'data/*.csv'"
                        raise DataError(f"'{shown(base)}' holds more than {_MOST} files", hint=hint)
                    if entry.is_file():
                        size, time = entry.stat().st_size, entry.stat().st_mtime_ns
                        path = f"{below}{entry.name}"
                        yield Source(os.path.join(base, path), path, (), size, time)
                    elif recursive and entry.is_dir():
                        waiting.append((f"{below}{entry.name}/", around | {(about.st_dev, about.st_ino)}))
        except FileNotFoundError:
            continue  # there is none, or it has gone meanwhile
        except OSError as error:
            raise failed("read", folder, error) from None


def escaped(name: str) -> str:
    """The pattern that matches a name alone."""
    return _WILD.sub(r"[\g<0>]", name)


def _parted(name: str) -> tuple[str, str]:
    """The folder in which a pattern begins, and the pattern behind it."""
    begin, path, query = split_uri(name) if is_remote(name) else ("", name, "")
    wild = _WILD.search(path)
    cut = path.rfind("/", 0, wild.start() if wild else None) + 1
    return f"{begin}{path[:cut]}{query}" if begin else path[:cut], path[cut:]


def _matching(sign: str) -> str:
    """The regular expression for a sign of a pattern; none but `**` matches a slash."""
    known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if sign in known or len(sign) == 1:
        return known.get(sign) or re.escape(sign)
    from fnmatch import translate

    return f"(?!/){translate(sign)[:-2]}"  # without the end of a text


def _is_hidden(below: str, pattern: str) -> bool:
    return any(part.startswith(_HIDDEN) for part in below.split("/")) and not pattern.startswith(_HIDDEN)


def _with_keys(sources: list[Source]) -> list[Source]:
    """The sources with what `name=value` in their paths says; a key is a number where it is one in all of them."""
    texts = [
        {name: _plain(value) for name, equals, value in (part.partition("=") for part in source.below.split("/")[:-1])
         if equals and name}
        for source in sources
    ]  # fmt: skip
    kinds = {name: _kind([each[name] for each in texts if name in each]) for each in texts for name in each}
    keys = [tuple((name, text and kinds[name](text)) for name, text in each.items()) for each in texts]
    return [source._replace(keys=each) for source, each in zip(sources, keys, strict=True)]


def _plain(text: str) -> str | None:
    from urllib.parse import unquote

    return None if text == _NOTHING else unquote(text)


def _kind(texts: Iterable[str | None]) -> type[int] | type[float] | type[str]:
    some = [text for text in texts if text is not None]
    for pattern, kind in ((_WHOLE, int), (_NUMBER, float)):
        if all(map(pattern.fullmatch, some)):
            return kind
    return str
