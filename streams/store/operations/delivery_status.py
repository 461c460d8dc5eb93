"""Query of the status of deliveries, by destination that was ever used."""

from __future__ import annotations

from streams.store.rows.deliveries import DeliveryStatus
from streams.store.warehouse import Warehouse


def delivery_status(warehouse: Warehouse) -> list[DeliveryStatus]:
    """Return the status of deliveries by destination, in the order of their names."""
    return warehouse.rows_as(
        DeliveryStatus,
        """
        SELECT destination,
               countIf(state = 'delivered') AS delivered, countIf(state = 'failed') AS failed,
               countIf(state = 'held') AS held, countIf(state = 'skipped') AS skipped,
               countIf(next_at IS NOT NULL) AS waiting,
               maxOrNullIf(at, state = 'delivered') AS delivered_at, max(at) AS latest_at,
               argMax(state, (at, delivery_id)) AS latest_state,
               argMax(error, (at, delivery_id)) AS latest_error
        FROM deliveries FINAL GROUP BY destination ORDER BY destination
        """,
    )
