"""The durable record of a campaign: its contract, and where it is kept."""
