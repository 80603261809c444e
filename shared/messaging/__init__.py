"""Messaging over NATS JetStream: broker, provisioner, the relay for the outbox, the consumer for the ledger."""
