"""Run one command for a person or a program: its answer, its faults, its exit status.

0: done; 2: the user must act; 1 is left to faults of ours, which keep their traceback. With
`--json` the answer is one object: `command`, `exit`, `error` (null, or its class and message),
then what the command found.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pipeline.errors import EvaluationError
from stages.faults import hide_messages
from stages.output import put
from stages.run import Folders, machine_error, refused, report


@dataclass(frozen=True)
class Reply:
    """Hold what a command found, as text and as data; `fault` where the user must act on it."""

    text: str
    data: dict[str, Any] = field(default_factory=dict)
    fault: EvaluationError | None = None


@dataclass(frozen=True)
class Command:
    """Hold one verb: what its help says, the arguments it takes, what it does with them."""

    verb: str
    doc: str | None
    declare: Callable[[argparse.ArgumentParser], None]
    reply: Callable[[argparse.Namespace], Reply]


class UsageError(EvaluationError):
    """Report arguments that a command does not take."""


def run_command(command: Command, arguments: list[str] | None = None) -> None:
    """Print the command's answer, or what failed and what to do; exit 2 where the user must act."""
    hide_messages()
    given = sys.argv[1:] if arguments is None else arguments
    chosen = argparse.Namespace()
    reply = _reply(command, given, chosen)
    try:
        if "--json" in given:
            put(_as_json(command.verb, reply))
        elif reply.fault and not reply.text:
            report(reply.fault, command.verb, _folders(chosen))
        else:
            put(reply.text)
    except OSError as error:  # standard output is a file on a full disk
        if not refused(error):
            raise
        raise SystemExit(report(machine_error(error), command.verb)) from None
    if reply.fault:
        raise SystemExit(2)


def _reply(command: Command, given: list[str], chosen: argparse.Namespace) -> Reply:
    """Return what the command found; a fault that stopped it is an answer without text."""
    try:
        _parser(command).parse_args(given, chosen)
        return command.reply(chosen)
    except EvaluationError as error:
        return Reply("", fault=error)
    except OSError as error:
        if not refused(error):
            raise
        return Reply("", fault=machine_error(error))


def _folders(chosen: argparse.Namespace) -> Folders | None:
    study = getattr(chosen, "study", None)
    return Folders(study) if isinstance(study, str) else None


class _Parser(argparse.ArgumentParser):
    """Report faulty arguments as every other fault; print help to whoever stays to read it."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().strip()}")

    def print_help(self, file: Any = None) -> None:
        put(self.format_help())


def _parser(command: Command) -> _Parser:
    parser = _Parser(
        prog=f"impact {command.verb}",
        description=command.doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.declare(parser)
    parser.add_argument("--json", action="store_true", help="answer for a program to read")
    return parser


def _as_json(verb: str, reply: Reply) -> str:
    fault = reply.fault
    error = None if fault is None else {"class": type(fault).__name__, "message": str(fault)}
    head = {"command": verb, "exit": 2 if fault else 0, "error": error}
    return json.dumps(_plain({**head, **reply.data}), ensure_ascii=False, indent=2) + "\n"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a number that is missing is null."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if math.isnan(value):
            return None
        case bool() | int() | float() | None:
            return value
        case _:
            return str(value)
