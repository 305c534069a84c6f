"""The same with the asynchronous client, streamed."""

import asyncio

from openai import AsyncOpenAI

client = AsyncOpenAI()


async def main():
    vector_store = await client.vector_stores.create(name="knowledge_base")
    with open("deep_research_blog.pdf", "rb") as file:
        batch = await client.vector_stores.file_batches.upload_and_poll(vector_store_id=vector_store.id, files=[file])
    print(batch.status, batch.file_counts.completed)

    stream = await client.responses.create(
        model="gpt-4.1",
        input="What is deep research by OpenAI?",
        tools=[{"type": "file_search", "vector_store_ids": [vector_store.id]}],
        stream=True,
    )
    async for event in stream:
        if "file_search" in event.type or "annotation" in event.type:
            print(event.type)
        if event.type == "response.completed":
            print(event.response.output_text)


asyncio.run(main())
