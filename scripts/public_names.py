"""The page of all public names: what each is, how it is made, and what it offers, read off the source text.

Text and not objects, so that it is the same on every version of Python.
"""

import ast
import contextlib
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import data_source_orchestrator as package

INTRO = """# Public names

What `from data_source_orchestrator import …` offers. Nothing else is promised to stay; plug-ins may also use
`data_source_orchestrator.core` and `data_source_orchestrator.testing`. A name is loaded when it is first used. Times
are in seconds, or `timedelta`s where a type says `Seconds`; a moment is aware UTC.
"""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def sections() -> Iterator[str]:
    """Yield one section for each public name, in the order of the alphabet."""
    for name in sorted(package.__all__, key=str.lower):
        home = importlib.import_module(f"{package.__name__}.{package._HOME_OF[name]}")  # noqa: SLF001 — our own list
        yield _section(name, home)


def _section(name: str, home: ModuleType) -> str:
    found, home = _found(name, home)
    match found:
        case ast.ClassDef():
            parts = [_shown(_made(found)), _told(found), _members(found, home)]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            parts = [_shown(_call(found)), _told(found)]
        case ast.AnnAssign():
            told = f"The ready-made pair's {name.replace('_', ' ')}, built on first use."
            parts = [_shown(ast.unparse(found)), told]
        case _:
            parts = [_shown(ast.unparse(found)), "Exactly one of these; `match` tells which."]
    return "\n\n".join([f"## {name}", *(part for part in parts if part)]) + "\n"


def _shown(code: str) -> str:
    return f"`{code}`"


def _found(name: str, home: ModuleType) -> tuple[Definition | ast.Assign | ast.AnnAssign, ModuleType]:
    """Return what defines a name, and where: in its home, or in the module of ours from which that has it."""
    for node in ast.walk(ast.parse(Path(inspect.getfile(home)).read_text())):
        match node:
            case ast.ClassDef(name=known) | ast.FunctionDef(name=known) | ast.AsyncFunctionDef(name=known):
                if known == name and not _is_overload(node):
                    return node, home
            case ast.Assign(targets=[ast.Name(id=known)]) | ast.AnnAssign(target=ast.Name(id=known)):
                if known == name:
                    return node, home
            case ast.ImportFrom(module=str(module), names=names) if module.startswith(package.__name__):
                if any(alias.name == name for alias in names):
                    return _found(name, importlib.import_module(module))
            case _:
                pass
    raise LookupError(f"{name} is not defined in {home.__name__}")


def _told(node: Definition) -> str:
    return ast.get_docstring(node) or ""


def _made(node: ast.ClassDef) -> str:
    """Return how an object of the class is made."""
    made = next((each for each in _functions(node) if each.name == "__init__"), None)
    if made is not None:
        return f"{node.name}({_arguments(made)})"
    if _is_record(node):
        return f"{node.name}({', '.join(_fields(node))})"
    return f"class {node.name}({', '.join(map(ast.unparse, node.bases))})" if node.bases else f"class {node.name}"


def _members(node: ast.ClassDef, home: ModuleType) -> str:
    if _is_enumeration(node):
        values = [ast.unparse(each.value) for each in node.body if isinstance(each, ast.Assign)]
        return "Values: " + ", ".join(_shown(ast.literal_eval(value)) for value in values) + "."
    offered = {each.name: each for each in (*_inherited(node, home), *_functions(node)) if _is_offered(each)}
    return "\n".join(_member(each) for each in offered.values())


def _inherited(node: ast.ClassDef, home: ModuleType) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield what the class has of another one of ours."""
    for base in map(_named, node.bases):
        with contextlib.suppress(LookupError):
            above, _ = _found(base, home)
            if isinstance(above, ast.ClassDef):
                yield from _functions(above)


def _member(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if any(_named(each) == "property" for each in node.decorator_list):
        returned = "" if node.returns is None else f": {_annotation(node.returns)}"
        return f"- `{node.name}{returned}`: {_first(node)}"
    return f"- `{_call(node)}`: {_first(node)}"


def _first(node: Definition) -> str:
    return " ".join(_told(node).split("\n\n")[0].split())


def _call(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    returned = "" if node.returns is None else f" -> {_annotation(node.returns)}"
    return f"{_awaited(node)}{node.name}({_arguments(node)}){returned}"


def _awaited(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if not isinstance(node, ast.AsyncFunctionDef):
        return ""
    return "async for … in " if any(isinstance(each, ast.Yield) for each in ast.walk(node)) else "await "


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return what is given to it, without the object or class that it belongs to."""
    given = node.args
    given.args = [each for each in given.args if each.arg not in {"self", "cls"}]
    given.posonlyargs = [each for each in given.posonlyargs if each.arg not in {"self", "cls"}]
    for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
        if each.annotation is not None:
            each.annotation = ast.parse(_annotation(each.annotation), mode="eval").body
    return ast.unparse(given)


def _annotation(node: ast.expr) -> str:
    """Return a type, without the quotes in which it may stand."""
    return str(node.value) if isinstance(node, ast.Constant) and node.value is not None else ast.unparse(node)


def _fields(node: ast.ClassDef) -> Iterator[str]:
    if _keyword(node, "kw_only"):
        yield "*"
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and not each.target.id.startswith("_"):
            yield f"{each.target.id}: {_annotation(each.annotation)}{_default(each.value)}"


def _default(value: ast.expr | None) -> str:
    if value is None or (isinstance(value, ast.Call) and _named(value) == "field" and not _has_default(value)):
        return ""
    return " = …" if isinstance(value, ast.Call) and _named(value) == "field" else f" = {ast.unparse(value)}"


def _has_default(field: ast.Call) -> bool:
    return any(each.arg in {"default", "default_factory"} for each in field.keywords)


def _functions(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def _is_offered(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether it is a member that people use by name; what sets a property is told with the property."""
    setter = any(isinstance(each, ast.Attribute) and each.attr == "setter" for each in node.decorator_list)
    return not node.name.startswith("_") and not setter and not _is_overload(node)


def _is_overload(node: Definition) -> bool:
    return any(_named(each) == "overload" for each in node.decorator_list)


def _is_enumeration(node: ast.ClassDef) -> bool:
    return any(_named(each).endswith("Enum") for each in node.bases)


def _is_record(node: ast.ClassDef) -> bool:
    return any(_named(each) == "dataclass" for each in node.decorator_list) or any(
        _named(each) == "Struct" for each in node.bases
    )


def _keyword(node: ast.ClassDef, name: str) -> bool:
    """Return whether that is said where the class is made a record."""
    calls = [each.keywords for each in node.decorator_list if isinstance(each, ast.Call)]
    return any(each.arg == name for keywords in [*calls, node.keywords] for each in keywords)


def _named(node: Any) -> str:
    match node:
        case ast.Call(func=function):
            return _named(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return str(name)
        case ast.Subscript(value=value):
            return _named(value)
        case _:
            return ""
