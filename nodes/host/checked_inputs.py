"""What comes into a node is what its schema says, or one line says what to change: the only place that checks inputs.

The host checks the widgets of a prompt and nothing that comes through a link (its execution.py, validate_inputs), and its
numbers may be NaN either way. Here the same schema counts for both.
"""

import functools
import inspect
import math
import numbers
import re
from collections.abc import Iterator
from contextlib import contextmanager

from comfy_api.latest import io
from comfy_execution.graph_utils import is_link

from ...reward_models.printable import printable
from ..values.plain_numbers import number, plain, whole_number
from .socket_contents import SOCKETS, kind_of

_NAMED = re.compile(r"(Load )?LiDAR [\w ]+: ")  # the message names its node already


def checked(execute):
    """Decorate a node's `execute`: its inputs are checked before it runs, and what it refuses names the node.

    Each input gets the value that its schema describes, converted where the meaning is plain (6.0 for a count, "0.5" for
    a scale), and a widget that is not given its default. None at an optional input counts as not connected. Links that a
    raw input hands on are left as they are.
    ValueError: one line with node, input, what came, what was wanted and what to change.
    """
    names = list(inspect.signature(execute).parameters)[1:]

    def prepare(cls, schema, args, kwargs) -> dict:
        return _checked(cls, schema, dict(zip(names, args, strict=False)) | kwargs)

    if inspect.iscoroutinefunction(execute):

        @functools.wraps(execute)
        async def run_async(cls, *args, **kwargs):
            schema = cls.define_schema()
            with named(schema.display_name):
                return await execute(cls, **prepare(cls, schema, args, kwargs))

        return run_async

    @functools.wraps(execute)
    def run(cls, *args, **kwargs):
        schema = cls.define_schema()
        with named(schema.display_name):
            return execute(cls, **prepare(cls, schema, args, kwargs))

    return run


@contextmanager
def named(node: str) -> Iterator[None]:
    """Let every refusal begin with the node's name for people, be printable, and show no other error before it."""
    try:
        yield
    except (ValueError, FileNotFoundError, ModuleNotFoundError) as error:
        told = printable(str(error), limit=1000)
        told = told if _NAMED.match(told) else f"{node}: {told}"
        # Not chained: a log that prints the first error too would stumble over the same unprintable name
        raise ValueError(told).with_traceback(error.__traceback__) from None


def check_value(wanted: io.Input, value):
    """Return the value as `wanted`, an input of a schema, describes it; ValueError names the input."""
    if isinstance(wanted, io.Autogrow.Input):
        return _check_growing(wanted, value)
    kind = wanted.get_io_type()
    if kind in _WIDGETS:
        return _WIDGETS[kind](wanted, plain(value))
    if kind not in SOCKETS:
        return value
    socket = SOCKETS[kind]
    problem = socket.problem(value)
    if problem:
        raise ValueError(f"{wanted.id} is {problem}, wanted {socket.wanted}: {socket.advice}")
    return socket.plain(value)


def _checked(cls, schema: io.Schema, given: dict) -> dict:
    if unknown := given.keys() - {each.id for each in schema.inputs}:  # the host lets links through under any name
        names = printable(", ".join(name for each in schema.inputs for name in _names(each)), limit=600)
        raise ValueError(f"{printable(min(unknown), limit=60)} is no input of this node: write one of {names}")
    # As in the host: a node that validates an input itself says more than its list of choices can
    own = inspect.signature(cls.validate_inputs).parameters
    for wanted in schema.inputs:
        if given.get(wanted.id) is None and (wanted.optional or wanted.id not in given):
            given.pop(wanted.id, None)
            if isinstance(wanted, io.WidgetInput) and wanted.default is not None:
                given[wanted.id] = [wanted.default] if schema.is_input_list else wanted.default
            continue
        value = given[wanted.id]
        if schema.is_input_list:
            given[wanted.id] = [check_value(wanted, each) for each in value]
        elif wanted.rawLink and is_link(value):
            continue
        elif wanted.id in own:
            given[wanted.id] = _text(wanted, value)
        else:
            given[wanted.id] = check_value(wanted, value)
    return given


def _names(wanted) -> list[str]:
    if isinstance(wanted, io.Autogrow.Input):
        return [f"{wanted.id}.{socket.id}" for socket in wanted.template.get_all()]
    return [wanted.id]


def _check_growing(wanted, value) -> dict:
    if not isinstance(value, dict):
        raise _refused(wanted, value, "a group of sockets", "connect its sockets one by one")
    each = {socket.id: socket for socket in wanted.template.get_all()}
    return {name: check_value(each[name], one) for name, one in value.items() if name in each and one is not None}


def _whole(wanted, value) -> int:
    found = whole_number(value)
    if found is None:
        raise _refused(wanted, value, f"a whole number{_range(wanted)}", "set one")
    return _in_range(wanted, found)


def _number(wanted, value) -> float:
    found = number(value)
    if found is None or not math.isfinite(found):
        raise _refused(wanted, value, f"a finite number{_range(wanted)}", "set one")
    return _in_range(wanted, float(found))


def _in_range(wanted, found):
    low, high = wanted.min, wanted.max
    if (low is not None and found < low) or (high is not None and found > high):
        raise _refused(wanted, found, f"a number{_range(wanted)}", "set one in this range")
    return found


def _range(wanted) -> str:
    return f" from {wanted.min:g} to {wanted.max:.10g}" if None not in (wanted.min, wanted.max) else ""


def _text(wanted, value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, numbers.Real):
        return str(value).removesuffix(".0")
    raise _refused(wanted, value, "a text", "write or connect one")


def _switch(wanted, value) -> bool:
    if isinstance(value, numbers.Integral) and value in (0, 1):
        return bool(value)
    raise _refused(wanted, value, "on or off", "connect a BOOLEAN, or set the switch itself")


def _choice(wanted, value):
    if isinstance(value, str) and value in wanted.options:
        return value
    choices = ", ".join(map(str, wanted.options))
    raise _refused(wanted, value, "one of its list", f"choose {printable(choices, limit=300)}")


_WIDGETS = {"INT": _whole, "FLOAT": _number, "STRING": _text, "BOOLEAN": _switch, "COMBO": _choice}


def _refused(wanted, value, kind: str, advice: str) -> ValueError:
    shown = value if value is None or isinstance(value, (int, float, bool)) else _described(value)
    return ValueError(f"{wanted.id} is {shown}, wanted {kind}: {advice}, or change what is linked to {wanted.id}")


def _described(value) -> str:
    return printable(repr(value), limit=60) if isinstance(value, str) else kind_of(value)
