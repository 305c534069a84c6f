from typing import Annotated

from pydantic import Field

from agentkit import function_tool


@function_tool
def score_a(score: Annotated[int, Field(..., ge=0, le=100, description="Score from 0 to 100")]) -> str:
    """Note a score."""
    return f"Score recorded: {score}"


@function_tool
def score_b(score: int = Field(..., ge=0, le=100, description="Score from 0 to 100")) -> str:
    """Note a score."""
    return f"Score recorded: {score}"


for tool in (score_a, score_b):
    print(tool.params_json_schema["properties"]["score"])
