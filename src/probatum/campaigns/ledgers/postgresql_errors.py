"""What PostgreSQL complains of: whether it passes, and how to say it to a person."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from probatum.errors import LedgerError, StorageError

PASSING = {
    "40001": "serialization failure",
    "40P01": "deadlock",
    "55P03": "another writer has the lock",
    "57P01": "the server is being stopped",
    "57P02": "a server process crashed",
    "57P03": "the server is starting",
    "57P05": "the session was idle for too long",
    "25P03": "the transaction was idle for too long",
    "53300": "too many connections",
}
"""SQLSTATE codes of what ends by itself; so do all of class 08, lost connections."""

SOON = ("starting up", "shutting down", "recovery mode", "too many clients", "remaining connection slots")
"""How a server that cannot take a connection now says so; libpq tells no code of these."""

REFUSED = ("authentication failed", "no password supplied", "no pg_hba.conf entry", "role ", "permission denied")
UNKNOWN_HOST = ("could not translate host name", "failed to resolve host", "Name or service not known")


def passes(error: DBAPIError, *, reached: bool) -> bool:
    """Whether it is worth trying again.

    Args:
        error: of a statement, or of an attempt to connect.
        reached: whether this process was connected to the database before, so that the address is right.
    """
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return code in PASSING or _is_of_connection(error)
    if error.connection_invalidated:
        return True
    said = str(error.orig)
    if any(word in said for word in SOON):
        return True
    if any(word in said for word in REFUSED) or _is_missing(said):
        return False
    return reached and _is_of_connection(error)


def refusal(error: DBAPIError, place: str) -> LedgerError | StorageError:
    """The error for a person.

    Args:
        error: of a statement, or of an attempt to connect.
        place: of the ledger.
    """
    code, said = getattr(error.orig, "sqlstate", None), " ".join(str(error.orig).split())
    if code == "53100":
        what = f"cannot be written ({said}): the server's disk is full"
        return StorageError(what, where=place, remedy="free space there and run again; what is recorded is kept")
    what, remedy = f"cannot be used as a ledger ({said})", "see the server's log"
    if code == "42501":
        what = f"may not be used by this user ({said})"
        remedy = "GRANT CREATE ON DATABASE to whoever runs it first, and rights on its schema to the others"
    elif code == "25006":
        what, remedy = "takes no changes: it is a standby, or read only", "name the server that writes"
    elif code == "55P03":
        what, remedy = "is in use: another process has not ended its change", "look for a driver that hangs"
    elif _is_of_connection(error) or code in PASSING:
        if any(word in said for word in UNKNOWN_HOST):
            what, remedy = f"the host is not known ({said})", "correct it in the ledger's address"
        elif _is_missing(said):
            what, remedy = f"there is no such database ({said})", "create it: createdb NAME"
        elif any(word in said for word in REFUSED):
            what = f"the server refuses this user or password ({said})"
            remedy = "put the password into ~/.pgpass or PGPASSWORD, or ask who runs the server"
        else:
            what, remedy = f"cannot be reached ({said})", "start the server, or correct the ledger's address"
    return LedgerError(what, where=place, remedy=remedy)


def _is_of_connection(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError | InterfaceError) if code is None else code.startswith("08")


def _is_missing(said: str) -> bool:
    return "database " in said and "does not exist" in said
