"""The reference relay: an OAuth 2.1 authorization server that logs its users in through Supabase."""
