"""The store: durable state on shelves, its one way to change (the commit), its log, its readers; and SQL beside it."""
