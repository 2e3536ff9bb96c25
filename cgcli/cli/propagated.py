"""`cg eval` of values with uncertainties: what the command line says of them, and how results are printed."""

from __future__ import annotations

from cgcli.annotations import Any, Iterator, Mapping, Sequence
from cgcli.api.point import Point, at_values
from cgcli.cli import output
from cgcli.cli.operands import named_texts
from cgcli.cli.request import Request
from cgcli.cli.say import echo
from cgcli.errors import UsageError
from cgcli.lean import re
from cgcli.printing import values
from cgcli.printing.uncertain import uncertain
from cgcli.uncertainty.inputs import Inputs, texts_of
from cgcli.uncertainty.propagation import Propagated, Share, propagated

_COMMA = r",(?![^\[]*\])"  # that is not within an index
_ANOTHER = r"[,;](?![^\[]*\])(?=[^=;]*,[^=;]*=)"  # before `x,y=`


def run(request: Request, settings: Mapping[str, Any]) -> None:
    """Print the values with their uncertainties. Raises CgError."""
    _check(request, settings)
    errors = _errors(request.operands.uncertain, settings["errors"])
    pairs = _correlations(settings["corr"])
    if request.operands.over_rows:
        _over_rows(request, settings, errors, pairs)
        return
    program, bindings = request.program()
    texts = texts_of(errors).values()
    own = {name: value for name, value in bindings.items()
           if name in program.open_names or not any(name in text.open_names for text in texts)}  # fmt: skip
    point = at_values(program, own)
    point.check_complete()
    report = request.report(point)
    report.tell_all(point.notices())
    found = propagated(point, errors, bindings, pairs, report.tell, second_order=settings["second_order"],
                       trials=settings["monte_carlo"] or 0, seed=settings["seed"])  # fmt: skip
    if settings["budget"] and found.budget is None:
        raise UsageError("the budget would be too long", hint="--json has the value and its uncertainty")
    if request.as_json:
        content = {name: _jsonable(getattr(found, name)) for name in _shown(settings)}
        output.as_json(content, request.precision, report.entries)
    else:
        echo("\n".join(_lines(point, found, settings, request.precision)))


def _check(request: Request, settings: Mapping[str, Any]) -> None:
    """Raise UsageError for what does not go together."""
    for name in ("digits", "accuracy"):
        if getattr(request, name):
            raise UsageError(f"--{name} is for values without uncertainties", hint="--precision N rounds these")
    if request.operands.ranges:
        raise UsageError(
            "a range is all values between two, and an uncertainty a standard deviation", hint="choose one"
        )
    if request.operands.over_rows and settings["monte_carlo"]:
        raise UsageError("--monte-carlo is for one point, and not for rows", hint="--second-order goes with both")
    if settings["seed"] and not settings["monte_carlo"]:
        raise UsageError("--seed is of trials, and there are none", hint="as in: --monte-carlo 100000 --seed 1")


def _errors(typed: Sequence[tuple[str, str]], options: Sequence[str]) -> dict[str, str]:
    """The text of each name's uncertainty: those of values, and of `--u x=ux,y=uy`."""
    found = named_texts(options, "--u", "uncertainty", "as in: --u x=ux,y=0.1")
    for name, text in typed:
        if name in found:
            raise UsageError(f"'{name}' has two uncertainties", hint="give one for each name")
        found[name] = text
    return found


def _correlations(options: Sequence[str]) -> list[tuple[str, str, float]]:
    """The pairs of `--corr x,y=0.5`: names, or elements of arrays, and the coefficient."""
    from cgcli.api.value_texts import of_text

    found = []
    for text in (part for option in options for part in re.split(_ANOTHER, option)):
        names, equals, number = text.rpartition("=")
        pair = [name.strip() for name in re.split(_COMMA, names)]
        if not equals or len(pair) != 2 or not all(pair):
            raise UsageError(f"--corr '{text}' gives no correlation to two names", hint="as in: --corr x,y=0.5")
        value = of_text(number, f"the correlation of '{pair[0]}' and '{pair[1]}'")
        if not isinstance(value, float):
            raise UsageError(f"the correlation of '{pair[0]}' and '{pair[1]}' is one number")
        found.append((pair[0], pair[1], value))
    return found


def _shown(settings: Mapping[str, Any]) -> list[str]:
    """The names of what was asked for."""
    return ["value", "std_error", *["first_order", "bias"] * settings["second_order"],
            *["monte_carlo"] * bool(settings["monte_carlo"]), *["budget"] * settings["budget"]]  # fmt: skip


def _jsonable(item: Any) -> Any:
    """Named tuples as objects."""
    if isinstance(item, dict):
        return {name: _jsonable(each) for name, each in item.items()}
    if hasattr(item, "_asdict"):
        return _jsonable(item._asdict())
    return [_jsonable(each) for each in item] if isinstance(item, list) else item


def _lines(point: Point, found: Propagated, settings: Mapping[str, Any], digits: int | None) -> Iterator[str]:
    """The value alone, or it and what else was asked for, each with its name before it; then the budget."""
    if not point.graph.names and not settings["second_order"] and not settings["monte_carlo"]:
        yield uncertain(found.value, found.std_error, digits)
    else:
        of = {field: dict(point.per_output(getattr(found, field))) for field in _shown(settings) if field != "budget"}
        for name, value in of["value"].items():
            told = f"_{values.on_one_line(name)}" * bool(name)
            yield f"{values.on_one_line(name) or 'value'}\t{uncertain(value, of['std_error'][name], digits)}"
            for field in ("first_order", "bias") if settings["second_order"] else ():
                yield f"{field}{told}\t{values.value(of[field][name], 3)}"
            if settings["monte_carlo"]:
                tried = of["monte_carlo"][name]
                yield f"monte_carlo{told}\t{uncertain(tried.mean, tried.std_error, digits)}"
                for end in ("low", "high"):
                    text, _, _ = uncertain(getattr(tried, end), tried.std_error, digits).partition(" ± ")
                    yield f"{end}{told}\t{text}"
    if settings["budget"]:
        yield "\t".join(Share._fields)
        for name, lists in point.per_output(found.budget):
            for place, lines in lists.items() if isinstance(lists, dict) else [(name, lists)]:
                before = f"{values.on_one_line(place)}: " * bool(place)
                for line in lines:
                    numbers = [*map(values.value, line[1:3]), *(values.value(each, digits or 4) for each in line[3:])]
                    yield "\t".join([before + line.name, *numbers])


def _over_rows(
    request: Request, settings: Mapping[str, Any], errors: Mapping[str, str], pairs: Sequence[tuple[str, str, float]]
) -> None:
    """Compute all rows, with columns for the uncertainties."""
    from cgcli.api.columns import column_notices
    from cgcli.cli.rows.ahead import ahead
    from cgcli.cli.rows.flow import computed
    from cgcli.cli.rows.prepared import Prepared
    from cgcli.cli.rows.table import opened, output_format, write
    from cgcli.uncertainty.rows import BoundUncertain

    kind = output_format(request)
    texts = {name: program.text for name, program in texts_of(errors).items()}
    others = {f"the uncertainty of '{name}'": text for name, text in texts.items()}
    with opened(request, Prepared(request, others), kind=kind) as rows:
        point, *more = rows.points[: 1 + len(others)]
        report = request.report(point)
        report.tell_all(column_notices(point, rows.first))
        report.tell_all(point.notices())
        inputs = Inputs(point, errors, dict(zip(texts, more, strict=True)), pairs)
        bound = BoundUncertain(point, inputs, more, rows.threads, second_order=settings["second_order"],
                               shares=settings["budget"], called=request.rows.called or "value")  # fmt: skip
        found = computed(rows.selected, bound)
        flow = write(request, rows, bound, ahead(found) if bound.threads > 1 else found, kind)
    flow.summarise()
    report.tell_all(bound.notices())
