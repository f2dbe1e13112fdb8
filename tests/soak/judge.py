"""Whether what became of a login belongs to a fault that was active then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faults import Fault

CLASSES = {
    "broker_timeout": "BrokerUnavailable",
    "broker_unreachable": "BrokerUnavailable",
    "broker_status": "BrokerUnavailable",
    "broker_document": "BrokerUnavailable",
    "token_malformed": "InvalidToken",
    "token_key_unknown": "InvalidToken",
    "token_signature": "InvalidToken",
    "token_issuer": "InvalidToken",
    "token_audience": "InvalidToken",
    "token_expired": "TokenExpired",
    "session_unknown": "InvalidSession",
    "session_email": "InvalidSession",
    "session_used": "SessionUsed",
    "store_unavailable": "StoreError",
}

# The machine has other things to do: no server was told to be slow, but a time limit passed.
BUSY = "machine_is_busy"

# A broker that ends may have begun to answer.
BROKER_ENDS = {"broker_timeout", "broker_unreachable", "broker_document", "no_token"}

# With what codes a login may end while something is wrong, or soon after. Nothing excuses one that
# succeeds twice or with a wrong token, one that hangs, an unexpected class, or a crash.
CONSEQUENCES = {
    "keys_rotate": {"token_key_unknown"},
    "keys_forgotten": {"token_key_unknown"},
    "broker_restarts": BROKER_ENDS,
    "broker_restarts_without_keys": BROKER_ENDS | {"token_key_unknown"},
    "broker_stalls": {"broker_timeout"},
    "redis_restarts": {"store_unavailable", "session_unknown"},
    "redis_is_killed": {"store_unavailable", "session_unknown"},
    "redis_stalls": {"store_unavailable"},
    "redis_drops_connections": {"store_unavailable"},
    # Requests that the broker fails on purpose.
    "status": {"broker_status"},
    "reset": {"broker_unreachable"},
    "cut": {"broker_document"},
    "garbage": {"broker_document"},
    "huge": {"broker_document"},
    "slow": {"broker_timeout"},
    BUSY: {"broker_timeout", "store_unavailable"},
}
OF_REDIS = {"store_unavailable", "session_unknown"}

# Seconds. A machine with other things to do is late.
SLACK = 3.0
# A client asks for a key it misses every 5 seconds at most, and not in a key set's first second.
BETWEEN_FORCED = 6.0
# How long the failure of a document is remembered, if it was not the first one.
PAUSE = 4.0
# How long a client waits for an answer of Redis, and then for a connection.
REDIS_PATIENCE = 4.0


def judge(odd: dict[str, Any], faults: Iterable[Fault], session_ttl: float, timeout: float) -> str:
    """The kind of the last fault to which an outcome may belong; nothing if there is none."""
    code = odd["code"]
    if code == "session_unknown" and odd["ended"] - odd["begun"] >= session_ttl:
        return "expired"
    for fault in sorted(faults, key=lambda fault: fault.begun, reverse=True):
        if (
            code in CONSEQUENCES[fault.kind]
            and (odd["store"] == "redis" or code not in OF_REDIS)
            and fault.client in (None, odd["client"])
            and fault.begun <= odd["ended"]
            and exposed_from(odd) <= fault.ended + afterwards(code, fault, timeout)
        ):
            return fault.kind
    return ""


def exposed_from(odd: dict[str, Any]) -> float:
    """Since when a fault could do harm."""
    since = {
        # It is lost with the server's memory.
        "session_unknown": "begun",
        # It was signed with a key of then.
        "token_key_unknown": "signed",
    }
    began: float = odd[since.get(odd["code"], "called")]
    return began


def afterwards(code: str, fault: Fault, timeout: float) -> float:
    """For how many seconds after its end a fault may still be felt."""
    if code == "session_unknown":
        return 0
    if code == "store_unavailable":
        return REDIS_PATIENCE + SLACK
    if code == "token_key_unknown":
        return BETWEEN_FORCED + timeout + SLACK
    # A pause after a failure is at most as long as all that was before it.
    return timeout + max(PAUSE, 1 + 2 * (fault.ended - fault.begun)) + SLACK
