# What turnfold uses of PyYAML, which has no types of its own (6.0.3).

from collections.abc import Iterator

class YAMLError(Exception): ...

class Mark:
    line: int
    column: int

class MarkedYAMLError(YAMLError):
    problem: str | None
    problem_mark: Mark | None

class BaseLoader: ...
class CBaseLoader: ...
class Event: ...
class AliasEvent(Event): ...

def load(stream: str, Loader: type[BaseLoader | CBaseLoader]) -> object: ...  # noqa: N803 - its name there
def parse(stream: str, Loader: type[BaseLoader | CBaseLoader]) -> Iterator[Event]: ...  # noqa: N803
