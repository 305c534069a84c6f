"""Tools: what a model may call, their schemas, and the context they get."""

from agentkit.tools.context import RunContextWrapper, TContext, ToolContext
from agentkit.tools.docstrings import DocstringStyle, FuncDocumentation, generate_func_documentation
from agentkit.tools.function_schema import FuncSchema, function_schema
from agentkit.tools.strict_schema import StrictSchemaError, ensure_strict_json_schema
from agentkit.tools.tool import (
    FunctionTool,
    Tool,
    ToolErrorFunction,
    default_tool_error_function,
    function_tool,
)

__all__ = [
    "DocstringStyle",
    "FuncDocumentation",
    "FuncSchema",
    "FunctionTool",
    "RunContextWrapper",
    "StrictSchemaError",
    "TContext",
    "Tool",
    "ToolContext",
    "ToolErrorFunction",
    "default_tool_error_function",
    "ensure_strict_json_schema",
    "function_schema",
    "function_tool",
    "generate_func_documentation",
]
