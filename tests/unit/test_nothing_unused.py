"""What nothing of the program uses goes out of it: who reads the code would look for its use."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
USED_OTHERWISE = {
    "get_next_fire_time": "asked by APScheduler of each trigger",
    "check_examples": "examples hold in any time zone",
    "self_group": "asked by SQLAlchemy of each part of a condition",
    "writable": "asked by io.BufferedWriter",
    "page_routes": "who may see each page is tested for every page there is",
}
_REGISTERED = re.compile(
    r"command|callback|get|post|exception_handler|listens_for|middleware|validator|serializer|compiles"
)
"""Decorators that hand a function on, which nobody then calls by its name."""


def _texts() -> Iterator[tuple[Path, str]]:
    for folder in ("monitor", "templates", "tools", "bench"):
        for path in sorted(ROOT.glob(f"{folder}/**/*")):
            if path.suffix in {".py", ".html", ".txt", ".js"}:
                yield path, path.read_text(encoding="utf-8")


def _named(tree: ast.Module) -> Iterator[str]:
    """What a module defines to be used by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            registered = any(_REGISTERED.search(ast.unparse(it)) for it in node.decorator_list)
            yield from () if registered else (node.name,)
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from (it.id for it in node.targets if isinstance(it, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_every_function_class_and_constant_is_used_somewhere() -> None:
    texts = list(_texts())
    uses = Counter(word for _, text in texts for word in re.findall(r"\w+", text))
    uses.update(re.findall(r"\w+", (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    unused = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in texts
        if path.suffix == ".py" and path.is_relative_to(ROOT / "monitor")
        if "versions" not in path.parts
        for name in _named(ast.parse(text))
        if uses[name] == 1 and name not in USED_OTHERWISE and not name.startswith("__")
    ]
    assert unused == []
