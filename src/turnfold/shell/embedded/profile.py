"""The embedded model as config values: its provider, its name, and what a conversation must know of it."""

from __future__ import annotations

from turnfold.core.config.values import ModelProfile, Provider, ToolFormat

EMBEDDED_MODEL = "embedded/qwen2.5-coder-0.5b"
EMBEDDED_PROVIDER = Provider(name="embedded", base_url="embedded:", timeout_s=600.0)
EMBEDDED_PROFILE = ModelProfile(pattern="embedded/*", tool_format=ToolFormat.MARKDOWN, grammar=True, temperature=0.0, max_tokens=600)
