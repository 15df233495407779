"""The dashboard: a campaign in the browser. `probatum serve` starts it, bound to this machine alone by default."""
