"""Gemini's ``streamGenerateContent``, as a :class:`ModelProtocol`: what Google speaks."""

from __future__ import annotations

from turnfold.core.llm.gemini_reply import GeminiFold, begin, calls_so_far, decode, finish
from turnfold.core.llm.gemini_request import encode_head, encode_message, encode_request, encode_round
from turnfold.core.llm.protocol import Encoder, ModelProtocol

GEMINI: ModelProtocol[GeminiFold] = ModelProtocol(
    begin=begin,
    decode=decode,
    finish=finish,
    calls_so_far=calls_so_far,
    encoder=Encoder(encode_head=encode_head, encode_message=encode_message, encode_round=encode_round, encode_request=encode_request),
)
