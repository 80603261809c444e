"""Rows, transactions, the ledger and the outbox. All synchronous: code in a transaction cannot await the network."""
