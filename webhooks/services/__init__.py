"""The only writers, by what they write: subscriptions; deliveries as events come in, go out and grow old."""
