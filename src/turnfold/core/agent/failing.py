"""What helps when a model call has failed: one table by the Problem's code, and how long to wait before the same model is asked again.

A failure is of one of three kinds. *For the moment* (a limit of requests, an overloaded or failing server, a broken connection, a reply
that is none): the same model is asked again, ``retries`` times, then the next of ``fallbacks``. *Of this model* (a key that is refused, a
name that is not known, an empty account, a window that is too short): asking it again is in vain, another one may do. *Of the request*
(it is refused as it is, its answer is withheld): no model is asked, since it would be told the same. A code that the table does not
name is of the request: what nobody has thought of is not repeated on its own.

The wait grows twofold from try to try, and of it a part is waited that chance says (full jitter), so that many conversations that were
turned away together do not come back together. What the provider itself says (``Retry-After``) comes first, and is never cut short:
where it is longer than ``retry_most_s``, waiting is no use, and the next model is asked, or the turn ends and says when to come back.
"""

from __future__ import annotations

import math
from enum import Enum

from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem

MOST_DOUBLINGS = 30  # beyond it every bound is reached


class Failing(Enum):
    """What a failure is of."""

    MOMENT = "moment"  # the same model may do it in a while
    MODEL = "model"  # another model may do it
    REQUEST = "request"  # no model would


KINDS: tuple[tuple[str, Failing], ...] = (
    ("rate-limited", Failing.MOMENT),  # 429
    ("overloaded", Failing.MOMENT),  # 503, 529
    ("provider-failed", Failing.MOMENT),  # 408, 500, 502, 504 and other 5xx; an error in the midst of a stream
    ("time-out", Failing.MOMENT),  # silence, or limits.request_s
    ("cut-stream", Failing.MOMENT),  # the connection or the stream ended before the reply did
    ("bad-reply", Failing.MOMENT),  # a page of HTML, or nothing, with status 200
    ("empty-reply", Failing.MOMENT),
    ("no-server", Failing.MOMENT),
    ("no-network", Failing.MOMENT),
    ("no-host", Failing.MOMENT),
    ("embedded-failed", Failing.MODEL),
    ("too-long", Failing.MODEL),
    ("too-large", Failing.MODEL),  # a reply that does not end
    ("reply-too-large", Failing.MODEL),
    ("unauthorized", Failing.MODEL),
    ("no-credit", Failing.MODEL),
    ("not-found", Failing.MODEL),
    ("no-key", Failing.MODEL),
    ("bad-header", Failing.MODEL),
    ("bad-url", Failing.MODEL),
    ("redirected", Failing.MODEL),
    ("proxy", Failing.MODEL),
    ("tls", Failing.MODEL),
    ("unknown-model", Failing.MODEL),
)
FEW: tuple[str, ...] = ("no-server", "no-host", "bad-reply", "empty-reply")  # seldom over in a while: tried again, but not for long
FEW_RETRIES = 2


def kind_of(problem: Problem) -> Failing:
    """What a failure is of.

    >>> from turnfold.core.problem import world_problem
    >>> kind_of(world_problem("overloaded", "Later.")), kind_of(world_problem("refused", "No."))
    (<Failing.MOMENT: 'moment'>, <Failing.REQUEST: 'request'>)
    """
    return next((kind for code, kind in KINDS if code == problem.code), Failing.REQUEST)


def wait_ms(problem: Problem, failed: int, chance: float, provider: Provider) -> int | None:
    """How long to wait before ``provider`` is asked again that has failed ``failed`` times with this model; None where that is no use.

    ``chance`` is from 0 to 1.

    >>> from turnfold.core.problem import world_problem
    >>> busy, provider = world_problem("overloaded", "Later."), Provider(name="a", retries=3, retry_base_s=1.0)
    >>> [wait_ms(busy, failed, 0.5, provider) for failed in (1, 2, 3, 4)]
    [500, 1000, 2000, None]
    """
    most = min(provider.retries, FEW_RETRIES) if problem.code in FEW else provider.retries
    if kind_of(problem) is not Failing.MOMENT or failed > most:
        return None
    part = min(max(chance, 0.0), 1.0)
    told_s = problem.retry_after_s
    if told_s is not None:  # the part of chance comes on top: earlier would be too early
        return _ms(told_s + part * provider.retry_base_s) if told_s <= provider.retry_most_s else None
    doublings = min(max(failed - 1, 0), MOST_DOUBLINGS)
    return _ms(part * min(provider.retry_most_s, provider.retry_base_s * 2**doublings))


def _ms(seconds: float) -> int:
    return math.ceil(max(seconds, 0.0) * 1000)
