"""Python functions as tools: their schemas from their signatures, their arguments decoded, their calls made; and replies as values."""

from turnfold.shell.functions.calls import functions_of, with_functions
from turnfold.shell.functions.outputs import Output, decoded, output_of
from turnfold.shell.functions.signature import Caller
from turnfold.shell.functions.tool import FunctionTool, tool

__all__ = ["Caller", "FunctionTool", "Output", "decoded", "functions_of", "output_of", "tool", "with_functions"]
