import pytest

from agentkit import AgentOutputSchema, ModelBehaviorError


@pytest.mark.parametrize("text", ['```json\n{"response": 3}\n```', '  ```\n{"response": 3}```\n', '{"response": 3}'])
def test_a_code_fence_around_the_whole_answer_is_taken_off(text: str) -> None:
    assert AgentOutputSchema(int).validate_json(text) == 3


@pytest.mark.parametrize("text", ['Here: ```json\n{"response": 3}\n```', '```json\n{"response": "x"}\n```'])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ModelBehaviorError, match="The model's answer is no int"):
        AgentOutputSchema(int).validate_json(text)
