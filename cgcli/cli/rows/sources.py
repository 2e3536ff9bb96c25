"""The files that a command line names: which they are, and what is wrong with them."""

from __future__ import annotations

import os

from cgcli.cli.operands import no_data
from cgcli.cli.request import Request
from cgcli.errors import DataError, UsageError
from cgcli.tables.formats import split_name
from cgcli.tables.listing import Source, is_pattern, listed
from cgcli.tables.remote import is_remote


def sources_of(request: Request, *, apart: bool = False) -> list[Source]:
    """The files of a request, those of folders and patterns one by one; '-' is standard input.

    apart: whether each may be computed by itself. Raises UsageError for operands that are no files, and for what does
    not go together, DataError for files that are not there.
    """
    operands, options = request.operands, request.rows
    for name, is_given in (("jobs", options.jobs > 1), ("shard", options.shard), ("on", options.on)):
        if is_given and not apart:
            raise UsageError(f"--{name} is for files whose results go into a folder",
                             hint="name it: -o out/; or add the results up: --sum, --mean")  # fmt: skip
    files = operands.files
    if files and operands.sweeps:
        name, text = operands.sweeps[0]
        raise UsageError(f"'{name}={text}' makes rows, and so does '{files[0]}'", hint="give either a sweep or files")
    said = "--no-header" if options.no_header else options.reading.option
    if operands.sweeps and (options.input_format or said):
        option = "--input-format" if options.input_format else said
        raise UsageError(f"{option} is for rows that are read, and a sweep makes its own")
    if files.count("-") > 1:
        raise UsageError("standard input can be read only once")
    if "-" in files and "-" in (operands.expression, request.program_file):
        raise UsageError("standard input cannot be both the program and the rows",
                         hint="put the program into a file: -f program.cg")  # fmt: skip
    absent = [name for name in files if name != "-" and not os.path.exists(name) and not is_remote(name)]
    if absent and not any(split_name(name)[0] or os.path.dirname(name) for name in absent):
        raise no_data([*absent, *(name for name in files if name not in absent)], "there is no such file")
    if none := next((name for name in absent if not is_pattern(name)), ""):
        raise DataError(f"cannot read '{none}': no such file or directory")
    strange = [name for name in files if os.path.isfile(name) and split_name(name)[0] is None]
    if strange and len(files) > 1 and options.input_format is None:
        others = list(files)
        others.remove(strange[0])
        raise no_data([strange[0], *others], "it has no suffix of a format that cg reads; -i FORMAT says which it is")
    return listed(files, of_any_name=options.input_format is not None)
