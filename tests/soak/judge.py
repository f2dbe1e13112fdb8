"""Judges whether the result of a login is a consequence of a fault at that time."""

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

# The machine is busy: no server was slowed down, but a time limit passed.
BUSY = "machine_is_busy"

# A broker that ends may have started an answer.
BROKER_ENDS = {"broker_timeout", "broker_unreachable", "broker_document", "no_token"}

# The codes that a login may end with during a fault or soon after. Nothing excuses a login that
# succeeds twice or with a wrong token, one that hangs, an unexpected class of error, or a crash.
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

# Seconds. A busy machine is late.
SLACK = 3.0
# A client asks for a missing key at most every 5 seconds, and not in the first second after it
# fetched a key set.
BETWEEN_FORCED = 6.0
# How long a failed fetch is remembered after repeated failures.
PAUSE = 4.0
# How long a client waits for a reply of Redis, and then for a connection.
REDIS_PATIENCE = 4.0


def judge(odd: dict[str, Any], faults: Iterable[Fault], session_ttl: float, timeout: float) -> str:
    """The kind of the last fault that explains a result; an empty text if there is none."""
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
    """The first moment at which a fault could do harm."""
    since = {
        # The login is lost with the server's memory.
        "session_unknown": "begun",
        # The token was signed with a key of that time.
        "token_key_unknown": "signed",
    }
    began: float = odd[since.get(odd["code"], "called")]
    return began


def afterwards(code: str, fault: Fault, timeout: float) -> float:
    """The seconds after its end in which a fault may still have consequences."""
    if code == "session_unknown":
        return 0
    if code == "store_unavailable":
        return REDIS_PATIENCE + SLACK
    if code == "token_key_unknown":
        return BETWEEN_FORCED + timeout + SLACK
    # A pause after a failure is at most as long as the time since the first failure.
    return timeout + max(PAUSE, 1 + 2 * (fault.ended - fault.begun)) + SLACK
