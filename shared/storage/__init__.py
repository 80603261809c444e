"""Rows, transactions, the ledger and the outbox. Synchronous: who holds a transaction cannot await the network."""
