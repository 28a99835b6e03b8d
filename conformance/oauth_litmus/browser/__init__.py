"""A browser: what it stores and sends (cookies), and what a page shows it (forms, buttons, links)."""
