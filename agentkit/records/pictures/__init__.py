"""Pictures of traces, by matplotlib: when things happened, what they took, what they cost."""
