"""OpenAI Responses, as a :class:`ModelProtocol`: what OpenAI's newer models speak, and some servers besides."""

from __future__ import annotations

from turnfold.core.llm.protocol import Encoder, ModelProtocol
from turnfold.core.llm.responses_reply import ResponsesFold, begin, calls_so_far, decode, finish
from turnfold.core.llm.responses_request import encode_head, encode_message, encode_request, encode_round

RESPONSES: ModelProtocol[ResponsesFold] = ModelProtocol(
    begin=begin,
    decode=decode,
    finish=finish,
    calls_so_far=calls_so_far,
    encoder=Encoder(encode_head=encode_head, encode_message=encode_message, encode_round=encode_round, encode_request=encode_request),
)
