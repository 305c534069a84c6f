"""Chats in a cell: streaming answers, branches, ratings, files; kept in the notebook as ordinary output."""

from agentkit.notebook.chat.handle import Chat
from agentkit.notebook.chat.messages import ChatMessage
from agentkit.notebook.chat.opening import ChatOpener, chat

__all__ = ["Chat", "ChatMessage", "ChatOpener", "chat"]
