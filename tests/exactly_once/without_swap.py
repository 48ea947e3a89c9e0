"""The negative control: the protocol with its compare-and-swap taken out."""

import sqlalchemy as sa

from monitor.store.flush import Flush
from monitor.store.schema import progress

__all__ = ["SWAP", "unconditional"]

SWAP = "monitor.store.flush._swap"


def unconditional(connection: sa.Connection, flush: Flush) -> None:
    """Moves the partition on, whoever owns it and wherever it stands."""
    connection.execute(
        sa.update(progress)
        .where(progress.c.writer == flush.writer)
        .values(
            next_offset=flush.to_offset,
            high1_ms=flush.marks.high1_ms,
            high2_ms=flush.marks.high2_ms,
            watermark_ms=flush.marks.watermark_ms,
            updated_ms=flush.now_ms,
        )
    )
