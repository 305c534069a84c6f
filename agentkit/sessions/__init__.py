"""Sessions: what a conversation is remembered in, from run to run."""

from agentkit.sessions.compacting import CompactingSession
from agentkit.sessions.platform import OpenAIConversationsSession
from agentkit.sessions.platform_compaction import OpenAIResponsesCompactionArgs, OpenAIResponsesCompactionSession
from agentkit.sessions.session import Session, SessionABC, SessionSettings
from agentkit.sessions.sqlite import SQLiteSession
from agentkit.sessions.sqlite_tables import SessionInfo
from agentkit.sessions.whole import whole_items

__all__ = [
    "CompactingSession",
    "OpenAIConversationsSession",
    "OpenAIResponsesCompactionArgs",
    "OpenAIResponsesCompactionSession",
    "SQLiteSession",
    "Session",
    "SessionABC",
    "SessionInfo",
    "SessionSettings",
    "whole_items",
]
