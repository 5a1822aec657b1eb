"""What the command line means beyond its library: an option that was given says something, and a
group that is asked for nothing but options lists."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from monitor.cli.common import Refused

_MAY_BE_EMPTY = frozenset({"note"})
"""Free text that is only kept: an empty one says as much as none."""
_LISTS = "list"


class Command(TyperCommand):
    """A command that takes no empty text for "not said": the variable of a script that was never
    set would ask for now, for every patient or for every clinic."""

    def invoke(self, ctx: Any) -> Any:
        for parameter in self.params:
            value = ctx.params.get(parameter.name)
            if parameter.required or parameter.name in _MAY_BE_EMPTY or not isinstance(value, str):
                continue
            given = ctx.get_parameter_source(parameter.name).name == "COMMANDLINE"
            if given and not value.strip():
                named = getattr(parameter, "metavar", None) or parameter.name.upper()
                said = parameter.opts[0] if parameter.opts[0].startswith("-") else named.strip("[]")
                raise Refused(f"{said} is empty: give a value, or leave it out")
        return super().invoke(ctx)


class Group(TyperGroup):
    """A group of commands; options without a command are those of its `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and args[0] != "--help":
            if _LISTS not in self.commands:
                raise Refused(f"monitor {ctx.info_name}: say which: {', '.join(self.commands)}")
            args = [_LISTS, *args]
        return super().parse_args(ctx, args)
