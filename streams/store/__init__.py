"""ClickHouse: client, migrations, the writer of rows and the functions that query them."""
