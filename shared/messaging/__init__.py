"""To and from NATS JetStream: the broker, the relay that empties the outbox, the consumer that fills the ledger."""
