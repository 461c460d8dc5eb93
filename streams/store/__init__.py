"""ClickHouse: client, migrations, the writer of facts and the functions that read them."""
