"""curation: decisions of people about the codebook and talks → logs → ClickHouse."""
