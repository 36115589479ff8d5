"""OpenAI Chat Completions, as a :class:`ModelProtocol`: what OpenAI, OpenRouter, Ollama, vLLM, llama.cpp and most others speak."""

from __future__ import annotations

from turnfold.core.llm.chat_reply import ChatFold, begin, calls_so_far, decode, finish
from turnfold.core.llm.chat_request import encode_head, encode_message, encode_request, encode_round
from turnfold.core.llm.protocol import Encoder, ModelProtocol

CHAT: ModelProtocol[ChatFold] = ModelProtocol(
    begin=begin,
    decode=decode,
    finish=finish,
    calls_so_far=calls_so_far,
    encoder=Encoder(encode_head=encode_head, encode_message=encode_message, encode_round=encode_round, encode_request=encode_request),
)
