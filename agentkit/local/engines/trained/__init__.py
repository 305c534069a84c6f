"""Models that were trained here, and any other Hugging Face model in a folder: tiny-1, `ft:…`, `/path/to/model`.

The platform's side, in the user's process, is light: `engine` answers prompts, `asking` writes them as chat templates
read them, `child` and `process` keep the other process, and `server` is that one. There, and only there, is torch:

- `server` reads requests, `serving` carries them out, several at once; `loading` keeps the models that were asked last.
- `answering` goes from a prompt, which `agentkit.local.chat_templates` makes of messages, to tokens; `drawing` chooses
  each, within what `grammars` allow; `detokenizing` makes text of them, and `calls` and `thinking` sort out what is no
  text.
- `failures` says what went wrong.
"""

from __future__ import annotations

from agentkit.local.engines.trained.engine import TrainedEngine

__all__ = ["TrainedEngine"]
