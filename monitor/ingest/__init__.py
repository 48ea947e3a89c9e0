"""From bytes to columns: the sources, the record contract and the decoder."""
