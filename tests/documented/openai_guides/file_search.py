# ruff: noqa: PIE810 (as the guide has it)
"""The calls of OpenAI's file search guide, one after the other: upload, store, attach, ask, limit, include, filter."""

from io import BytesIO

from openai import OpenAI

client = OpenAI()


def create_file(client, file_path):
    if file_path.startswith("http://") or file_path.startswith("https://"):
        import requests

        response = requests.get(file_path)
        file_content = BytesIO(response.content)
        file_name = file_path.split("/")[-1]
        file_tuple = (file_name, file_content)
        result = client.files.create(file=file_tuple, purpose="assistants")
    else:
        with open(file_path, "rb") as file_content:
            result = client.files.create(file=file_content, purpose="assistants")
    print(result.id[:5])
    return result.id


file_id = create_file(client, "deep_research_blog.pdf")

vector_store = client.vector_stores.create(name="knowledge_base")
print(vector_store.id[:3])

result = client.vector_stores.files.create(vector_store_id=vector_store.id, file_id=file_id)
print(result.object)

client.vector_stores.files.poll(file_id, vector_store_id=vector_store.id)
result = client.vector_stores.files.list(vector_store_id=vector_store.id)
print([file.status for file in result])

response = client.responses.create(
    model="gpt-4.1",
    input="What is deep research by OpenAI?",
    tools=[{"type": "file_search", "vector_store_ids": [vector_store.id]}],
)
print([item.type for item in response.output])
print(response.output_text)
print([(note.type, note.filename) for note in response.output[1].content[0].annotations])

response = client.responses.create(
    model="gpt-4.1",
    input="What is deep research by OpenAI?",
    tools=[{"type": "file_search", "vector_store_ids": [vector_store.id], "max_num_results": 2}],
)
print(response.output[0].results)

response = client.responses.create(
    model="gpt-4.1",
    input="What is deep research by OpenAI?",
    tools=[{"type": "file_search", "vector_store_ids": [vector_store.id]}],
    include=["file_search_call.results"],
)
print([found.filename for found in response.output[0].results])

for category in ("blog", "recipes"):
    client.vector_stores.files.update(
        file_id, vector_store_id=vector_store.id, attributes={"category": category, "date": 1672531200}
    )
    response = client.responses.create(
        model="gpt-4.1",
        input="What is deep research by OpenAI?",
        tools=[
            {
                "type": "file_search",
                "vector_store_ids": [vector_store.id],
                "filters": {"type": "in", "key": "category", "value": ["blog", "announcement"]},
            }
        ],
        include=["file_search_call.results"],
    )
    print(category, len(response.output[0].results))
