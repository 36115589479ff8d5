"""OpenAI Chat Completions, as a :class:`ModelProtocol`: what OpenAI, OpenRouter, Ollama, vLLM, llama.cpp and most others speak."""

from __future__ import annotations

from turnfold.core.llm.chat_images import encode_images
from turnfold.core.llm.chat_reply import ChatFold, begin, decode, finish
from turnfold.core.llm.chat_request import encode_head, encode_message, encode_request
from turnfold.core.llm.protocol import ModelProtocol

CHAT: ModelProtocol[ChatFold] = ModelProtocol(
    name="chat",
    begin=begin,
    decode=decode,
    finish=finish,
    encode_message=encode_message,
    encode_images=encode_images,
    encode_head=encode_head,
    encode_request=encode_request,
)
