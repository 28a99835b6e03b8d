"""Rate limits per source address. Every check here sends a bounded burst of requests, and runs only with `--burst`."""
