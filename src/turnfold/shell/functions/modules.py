"""Tools from modules that the settings name: each says ``TOOLS = (…)``, and nothing registers itself.

Loading runs the module's code, so the setting counts in a trusted folder only; and a path that is not absolute counts only where a
project's file says it, from its workspace: in a person's own settings it would mean another file in every folder that they work in.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import final

from attrs import frozen

from turnfold.core.config.explain import Explained, explain
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.functions.calls import AnyFunction
from turnfold.shell.functions.tool import FunctionTool

SETTING = "$.tool_modules"
SAID_CHARS = 500


@final
@frozen(kw_only=True)
class Loaded:
    """What modules hold: all their tools, and the functions among them, which a world must be handed."""

    tools: tuple[ToolSpec, ...] = ()
    functions: tuple[AnyFunction, ...] = ()


def load_modules(cfg: ChatConfig) -> Loaded | Problem:
    """The tools of the modules that ``cfg`` names, in their order; or what is wrong with the first that can't be loaded."""
    tools: tuple[ToolSpec, ...] = ()
    functions: tuple[AnyFunction, ...] = ()
    for name in cfg.tool_modules:
        loaded = _load(name, cfg)
        if isinstance(loaded, Problem):
            return loaded
        tools += loaded.tools
        functions += loaded.functions
    return Loaded(tools=tools, functions=functions)


def _load(name: str, cfg: ChatConfig) -> Loaded | Problem:
    is_file = name.endswith(".py") or "/" in name
    path = _path(name, cfg) if is_file else name
    if isinstance(path, Problem):
        return path
    if is_file and not Path(path).is_file():
        return caller_problem("no-module", f"There is no file {path}: mend tool_modules, or take it out.", SETTING)
    try:
        module = _run(path) if is_file else importlib.import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the module's code may raise anything
        return _broken(name, path, error)
    return _tools_of(name, module)


def _path(name: str, cfg: ChatConfig) -> str | Problem:
    """The absolute path of a file that is named."""
    path = Path(name)
    if name.startswith("~/"):
        path = path.expanduser()
    if path.is_absolute():
        return path.as_posix()
    said = explain(cfg, "tool_modules")
    if isinstance(said, Explained) and said.layer in {"project", "chat"}:
        return (Path(cfg.workspace) / path).as_posix()
    message = f"{name} in tool_modules of your own settings would be another file in every workspace: write it from / or ~/."
    return caller_problem("bad-module", message, SETTING)


def _run(path: str) -> ModuleType:
    """The module of the file at ``path``, run anew, under a name that no other has."""
    name = f"turnfold_tools_{hashlib.sha256(path.encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # types that it names are looked up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _tools_of(name: str, module: ModuleType) -> Loaded | Problem:
    found = getattr(module, "TOOLS", None)
    if not isinstance(found, (tuple, list)):
        message = f"The tool module {name} says no TOOLS: end it with  TOOLS = (my_tool,)  or take it out of tool_modules."
        return caller_problem("bad-module", message, SETTING)
    for each in found:
        if not isinstance(each, (ToolSpec, FunctionTool)):
            what = getattr(each, "__name__", type(each).__name__)
            message = f"TOOLS of the tool module {name} holds {what}, which is no tool: write @tool above it, or make a ToolSpec."
            return caller_problem("bad-module", message, SETTING)
    functions = tuple(each for each in found if isinstance(each, FunctionTool))
    return Loaded(tools=tuple(each.spec if isinstance(each, FunctionTool) else each for each in found), functions=functions)


def _broken(name: str, path: str, error: BaseException) -> Problem:
    if isinstance(error, ModuleNotFoundError) and error.name is not None and (name == error.name or name.startswith(error.name + ".")):
        message = f"There is no module {name}: install it where turnfold is installed, or name its file (/path/to/tools.py)."
        return caller_problem("no-module", message, SETTING)
    what = " ".join(str(error).split())[:SAID_CHARS]
    message = f"The tool module {name} can't be loaded ({_place(path, error)}): {type(error).__name__}: {what}. Mend it, or take it out of tool_modules."
    return caller_problem("bad-module", message, SETTING)


def _place(path: str, error: BaseException) -> str:
    """Where it went wrong: the line that can't be parsed, or the module's own line that was running last."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = tuple(
        frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename and frame.filename != __file__
    )
    own = tuple(frame for frame in frames if frame.filename == path) or frames
    return f"{own[-1].filename}:{own[-1].lineno}" if own else path
