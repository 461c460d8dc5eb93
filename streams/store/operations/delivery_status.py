"""The status of deliveries, a row for each destination that was ever used."""

from __future__ import annotations

from streams.store.warehouse import Row, Warehouse


def delivery_status(warehouse: Warehouse) -> list[Row]:
    """How deliveries stand, by destination, in the order of their names.

    Returns:
        Rows {destination, delivered, failed, held, skipped, waiting, delivered_at, latest_at, latest_state,
        latest_error}. The first four: deliveries that stand so now; waiting: those of them that are tried
        (again) later; delivered_at: when the last one arrived, None: never; latest_…: of the newest of all.
    """
    return warehouse.rows(
        """
        SELECT destination,
               countIf(state = 'delivered') AS delivered, countIf(state = 'failed') AS failed,
               countIf(state = 'held') AS held, countIf(state = 'skipped') AS skipped,
               countIf(next_at IS NOT NULL) AS waiting,
               maxOrNullIf(at, state = 'delivered') AS delivered_at, max(at) AS latest_at,
               argMax(state, (at, delivery_id)) AS latest_state,
               argMax(error, (at, delivery_id)) AS latest_error
        FROM deliveries FINAL GROUP BY destination ORDER BY destination
        """
    )
