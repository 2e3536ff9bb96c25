"""Parts: for each file of rows a file of results, in a folder of their own, and what tells that one is done.

A part appears whole or not at all. Parquet and Arrow hold at their end whose results they are; beside a part of another
format lies a small file that says it, `_NAME.done`. When all parts are there, so is `_SUCCESS`, as Hadoop has it.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager, suppress

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Sequence
from cgcli.errors import DataError, UsageError
from cgcli.files import Draft, folder_at
from cgcli.lean import blake2b
from cgcli.records import NamedTuple
from cgcli.tables.formats import FORMATS, Format, split_name
from cgcli.tables.grouped import mark_of
from cgcli.tables.listing import Source, files_below
from cgcli.tables.remote import Upload, file_at, is_remote, joined, shown, split_uri

if TYPE_CHECKING:
    from cgcli.tables.batch import Batch

_SUCCESS = "_SUCCESS"
_HIDDEN = ("_", ".")
_DIGEST_BYTES = 16
_DRAFT = re.compile(r"(.*/)?\.cg-[0-9a-f]{16}\.tmp")


class Part(NamedTuple):
    """A file of rows, and the file of its results: its path in the folder, its name, and the name of its format.

    was_there: whether there was such a file when the run began.
    """

    source: Source
    below: str
    target: str
    format: str
    was_there: bool = False


def parts_of(sources: Sequence[Source], folder: str, kind: Format | None, given: Format | None) -> list[Part]:
    """A part for each file, under the same path in the folder; with another suffix where it has another format.

    kind: the format of the parts, None for that of each file. given: that of the files, None for what suffixes say.
    Raises UsageError where two have one name, or one has no format; DataError for files that the folder holds besides.
    """
    found: dict[str, Part] = {}
    there = {each.below: each for each in sorted(_listed(folder), key=lambda each: each.below)}
    for source in sources:
        below, own = _renamed(source.below, kind, given)
        target = joined(folder, below)
        if below in found:
            other = found[below].source
            if os.path.realpath(other.name) == os.path.realpath(source.name):
                raise UsageError(f"'{shown(source.name)}' is read twice", hint="name it once")
            both = f"the results of '{shown(other.name)}' and of '{shown(source.name)}'"
            raise UsageError(f"{both} would be in one file, '{shown(target)}'",
                             hint="read a folder, in which their paths differ")  # fmt: skip
        found[below] = Part(_stamped(source), below, target, own.name, below in there)
    foreign = next((each for below, each in there.items() if not _is_hidden(each) and below not in found), None)
    if foreign is not None:
        raise _in_the_way(foreign)
    return [*found.values()]


def _in_the_way(file: Source) -> DataError:
    """What is said of a file that is none of the parts that a folder is to have."""
    kind = split_name(file.name)[0]
    part = None if kind is None else Part(file, file.below, file.name, kind.name)
    with suppress(DataError):
        if part is not None and done(part) is not None:
            mark = "" if _holds_mark(part) else f", and '{shown(_beside(file.name))}' beside it"
            said = f"'{shown(file.name)}' is a part that cg wrote earlier, and no file that is read now gives it"
            return DataError(said, hint=f"choose another folder, or remove it{mark}")
    return DataError(f"'{shown(file.name)}' is in the folder already, and is none of these parts",
                     hint="choose another folder, or remove it")  # fmt: skip


def check_apart(names: Sequence[str], sources: Sequence[Source], folder: str) -> None:
    """Raise UsageError where a folder to write into is one that is read. names: what was given; sources: its files."""
    inside = next((each.name for each in sources if _lies_in(each.name, folder)), None)
    around = next((name for name in names if _lies_in(folder, name)), None)
    if inside is not None:
        raise UsageError(f"'{shown(inside)}' is read, and lies in '{shown(folder)}', where its results would go",
                         hint="choose another folder")  # fmt: skip
    if around is not None:
        raise UsageError(f"the results would lie in '{shown(around)}', which is read, and be read the next time",
                         hint="choose a folder outside of it")  # fmt: skip


def _lies_in(name: str, folder: str) -> bool:
    paths = [shown(each).rstrip("/") if is_remote(each) else os.path.realpath(each) for each in (name, folder)]
    return paths[0].startswith(os.path.join(paths[1], ""))


def _renamed(below: str, kind: Format | None, given: Format | None) -> tuple[str, Format]:
    """The path of a part, and its format. Raises UsageError where nothing says it."""
    own, compression = split_name(below)
    chosen = kind or own or given
    if chosen is None:
        raise UsageError(f"'{below}' has no suffix that says its format", hint="say that of the files with -i, or --to")
    if kind is None or kind is own:
        return below, chosen
    stem = os.path.splitext(below)[0] if compression else below
    return (os.path.splitext(stem)[0] if own else stem) + chosen.suffixes[0], chosen


def _stamped(source: Source) -> Source:
    """The file with its size and its time."""
    if source.size >= 0:
        return source
    filesystem, path = file_at(source.name)
    info = filesystem.get_file_info(path)
    return source._replace(size=info.size or 0, time=info.mtime_ns or 0)


def _listed(folder: str) -> list[Source]:
    """All files in a folder. Raises DataError where it is none."""
    found = files_below(folder)
    if found is None:
        raise DataError(f"cannot write into '{shown(folder)}': it is a file", hint="name a folder")
    return found


def _is_hidden(source: Source) -> bool:
    return source.below.rpartition("/")[2].startswith(_HIDDEN)


def key_of(part: Part, what: str) -> str:
    """What a part is made of, in short. what: is done with the rows."""
    source = part.source
    name = shown(source.name) if is_remote(source.name) else os.path.abspath(source.name)
    return digest_of(repr((what, name, source.keys, source.size, source.time)).encode())


def digest_of(content: bytes) -> str:
    """Bytes in short, other for others."""
    return blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()


class Done(NamedTuple):
    """What was said of a part when it was written. key: of what it is made, '' while it is being made."""

    key: str = ""
    counts: Any = None
    size: int | None = None


def done(part: Part) -> Done | None:
    """What is known of a part that is there; None where there is none.

    Raises DataError for a file in its place that is no part.
    """
    filesystem, path = file_at(part.target)
    info = filesystem.get_file_info(path)
    if not info.is_file:
        return None
    try:
        with filesystem.open_input_file(path if _holds_mark(part) else _beside(path)) as stream:
            text = mark_of(stream, part.format) if _holds_mark(part) else stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    found = None
    with suppress(ValueError, TypeError):
        found = Done(**json.loads(text))
    if found is None:
        raise DataError(f"'{shown(part.target)}' is there already, and is no part that cg has written",
                        hint="choose another folder, or remove it")  # fmt: skip
    return found if found.size in (None, info.size) else Done()


def begin(part: Part) -> None:
    """Make room for a part."""
    if not is_remote(part.target):
        folder_at(os.path.dirname(part.target))
    if not _holds_mark(part):
        _put(_beside(part.target), Done())


@contextmanager
def nothing_left(parts: Sequence[Part]) -> Iterator[None]:
    """A context that an error leaves without what holds nothing: folders that it has made, marks without their part."""
    here = [part.target for part in parts if not is_remote(part.target)]
    folders = {os.path.dirname(target) for target in here}
    made: set[str] = set()
    while folders := {folder for folder in folders - made if folder and not os.path.isdir(folder)}:
        made |= folders
        folders = {os.path.dirname(folder) for folder in folders}
    try:
        yield
    except BaseException:
        for path in [_beside(target) for target in here if not os.path.exists(target)]:
            with suppress(OSError):
                os.unlink(path)
        for folder in sorted(made, key=len, reverse=True):
            with suppress(OSError):
                os.rmdir(folder)
        raise


def mark(key: str, counts: Any) -> str:
    """The text that a part holds at its end."""
    return json.dumps(Done(key, counts)._asdict())


def end(part: Part, key: str, counts: Any) -> None:
    """Say that a part is done, where it does not hold that itself."""
    if not _holds_mark(part):
        filesystem, path = file_at(part.target)
        _put(_beside(part.target), Done(key, counts, filesystem.get_file_info(path).size))


def open_again(folder: str) -> None:
    """Take back that all parts are there."""
    filesystem, path = file_at(joined(folder, _SUCCESS))
    with suppress(FileNotFoundError):
        filesystem.delete_file(path)


def finish(folder: str) -> None:
    """Say that all parts are there, and remove drafts that processes left which were killed."""
    _save(b"", joined(folder, _SUCCESS))
    for each in _listed(folder):
        if not is_remote(folder) and _DRAFT.fullmatch(each.below):
            with suppress(OSError):
                os.unlink(each.name)


def are_there(parts: Sequence[Part], folder: str) -> bool:
    """Whether a folder has a file for each part, of whatever age."""
    return {part.below for part in parts} <= {each.below for each in _listed(folder)}


def columns_of(batch: Batch) -> tuple[tuple[str, str], ...] | None:
    """The names and types of columns; of text the names alone, and None of objects, which have their own."""
    if batch.holds_objects:
        return None
    types = [""] * len(batch.names) if batch.untyped else map(str, batch.given.schema.types)
    return tuple(zip(batch.names, types, strict=True))


def _holds_mark(part: Part) -> bool:
    return FORMATS[part.format].has_marks and split_name(part.target)[1] is None


def _beside(target: str) -> str:
    """The name of the file that says of another that it is done: no reader takes it for data."""
    scheme, path, query = split_uri(target) if is_remote(target) else ("", target, "")
    folder, slash, name = path.rpartition("/")
    return f"{scheme}{folder}{slash}_{name}.done{query}"


def _put(name: str, said: Done) -> None:
    _save(json.dumps(said._asdict()).encode(), name)


def _save(content: bytes, name: str) -> None:
    with Upload(name) if is_remote(name) else Draft(name) as file:
        file.write(content)
