"""Drivers: the processes that work on one campaign at once, and how each keeps what it has claimed.

A driver claims fits before it trains them. Its claims hold while its lease runs, which it renews from a thread of its
own. A lease, and no lock of the connection: where the connection breaks and the driver lives, as when the server is
restarted, its workers go on, and nobody may take their fits meanwhile. All times are the server's, so that no two
clocks are compared; and the time in which the server was away counts for nobody, since nobody could renew anything.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import SQLAlchemyError

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.statements import now
from probatum.errors import ProbatumError

if TYPE_CHECKING:
    from probatum.campaigns.ledgers.database import SharedDatabase

RENEWALS = 6
"""Of a lease, while it runs: so many must fail, one after the other, before it ends."""


@dataclass(frozen=True)
class Claims:
    """In whose name fits are claimed, and whose claims hold.

    Attributes:
        driver: number of this process's driver, None where it only looks.
        alive: condition on the table of drivers.
    """

    driver: int | None
    alive: ColumnElement[bool]

    @property
    def of_others(self) -> ColumnElement[bool]:
        """Living drivers that are not this one."""
        return self.alive if self.driver is None else self.alive & (schema.driver.c.id != self.driver)

    def others(self, db: Connection) -> list[str]:
        """Names of these, in the order in which they joined."""
        return list(
            db.execute(select(schema.driver.c.name).where(self.of_others).order_by(schema.driver.c.id)).scalars()
        )


class Driver:
    """This process as a driver of a campaign, from now until it is closed or dies.

    Args:
        database: of the ledger.
    """

    def __init__(self, database: SharedDatabase):
        self._database, self._ends = database, database.server_time + database.lease
        name = f"pid {os.getpid()} on {socket.gethostname()}"
        values = {"name": name, "joined_at": now(), "lease": database.lease}
        joined = schema.driver.insert().values(**values, expires_at=self._ends)
        self.number: int = database.write(lambda db: db.execute(joined).inserted_primary_key[0])  # type: ignore[index]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="lease")
        self._thread.start()

    def close(self) -> None:
        """Ends the lease, so that others may take over at once what is still claimed."""
        self._closed.set()
        self._thread.join()
        with contextlib.suppress(ProbatumError, SQLAlchemyError), self._database.aside() as db:
            db.execute(self._renewed(0.0))  # else it ends by itself

    def _renew(self) -> None:
        while not self._closed.wait(self._database.lease / RENEWALS):
            with contextlib.suppress(ProbatumError, SQLAlchemyError), self._database.aside() as db:
                db.execute(self._renewed(self._ends))

    def _renewed(self, ends: float | ColumnElement[float]):
        return schema.driver.update().where(schema.driver.c.id == self.number).values(expires_at=ends)
