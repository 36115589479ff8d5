"""Anthropic Messages, as a :class:`ModelProtocol`: what Anthropic speaks, and llama.cpp, Ollama and others beside Chat Completions."""

from __future__ import annotations

from turnfold.core.llm.messages_reply import MessagesFold, begin, calls_so_far, decode, finish
from turnfold.core.llm.messages_request import encode_head, encode_message, encode_request, encode_round
from turnfold.core.llm.protocol import Encoder, ModelProtocol

MESSAGES: ModelProtocol[MessagesFold] = ModelProtocol(
    begin=begin,
    decode=decode,
    finish=finish,
    calls_so_far=calls_so_far,
    encoder=Encoder(encode_head=encode_head, encode_message=encode_message, encode_round=encode_round, encode_request=encode_request),
)
