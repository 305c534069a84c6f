# ruff: noqa: SIM115 (as the guide has it)
"""The calls of OpenAI's retrieval guide: upload, search, rewrite, filter, batches, an end, an answer from results."""

from openai import OpenAI

client = OpenAI()

vector_store = client.vector_stores.create(name="Support FAQ")
client.vector_stores.files.upload_and_poll(vector_store_id=vector_store.id, file=open("customer_policies.txt", "rb"))

user_query = "What is the return policy?"
results = client.vector_stores.search(vector_store_id=vector_store.id, query=user_query)
print([(found.filename, round(found.score, 1)) for found in results.data])

results = client.vector_stores.search(
    vector_store_id=vector_store.id, query="How many woodchucks are allowed per passenger?", rewrite_query=True
)
print(results.search_query)

file = client.files.create(file=open("notes.md", "rb"), purpose="assistants")
client.vector_stores.files.create_and_poll(
    file.id,
    vector_store_id=vector_store.id,
    attributes={"region": "US", "category": "Marketing", "date": 1672531200},
    chunking_strategy={"type": "static", "static": {"max_chunk_size_tokens": 1200, "chunk_overlap_tokens": 200}},
)
filters = {
    "type": "and",
    "filters": [
        {"type": "eq", "key": "region", "value": "US"},
        {"type": "or", "filters": [{"type": "gte", "key": "date", "value": 1672531200}]},
    ],
}
results = client.vector_stores.search(vector_store_id=vector_store.id, query="passengers", filters=filters)
print([found.filename for found in results.data])

client.vector_stores.update(
    vector_store_id=vector_store.id, name="Support FAQ Updated", expires_after={"anchor": "last_active_at", "days": 7}
)
print(client.vector_stores.retrieve(vector_store.id).name)

batch = client.vector_stores.file_batches.create(
    vector_store_id=vector_store.id,
    files=[{"file_id": file.id, "attributes": {"department": "finance"}}],
)
batch = client.vector_stores.file_batches.poll(batch.id, vector_store_id=vector_store.id)
print(batch.status, client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=vector_store.id).status)
print(
    [one.attributes for one in client.vector_stores.file_batches.list_files(batch.id, vector_store_id=vector_store.id)]
)


def format_results(results):
    formatted_results = ""
    for result in results.data:
        formatted_result = f"<result file_id='{result.file_id}' file_name='{result.filename}'>"
        for part in result.content:
            formatted_result += f"<content>{part.text}</content>"
        formatted_results += formatted_result + "</result>"
    return f"<sources>{formatted_results}</sources>"


results = client.vector_stores.search(
    vector_store_id=vector_store.id,
    query=user_query,
    max_num_results=5,
    ranking_options={"ranker": "auto", "score_threshold": 0.2},
)
completion = client.chat.completions.create(
    model="gpt-4.1",
    messages=[
        {"role": "developer", "content": "Produce a concise answer to the query based on the provided sources."},
        {"role": "user", "content": f"Sources: {format_results(results)}\n\nQuery: '{user_query}'"},
    ],
)
print(bool(completion.choices[0].message.content))

for one in client.vector_stores.files.list(vector_store_id=vector_store.id):
    client.vector_stores.files.delete(one.id, vector_store_id=vector_store.id)
    client.files.delete(one.id)
print(client.vector_stores.delete(vector_store.id).deleted)
