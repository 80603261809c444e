"""Rows, transactions, the ledger and the outbox. Synchronous: code that holds a transaction cannot await the network."""
