"""Dynamic client registration (RFC 7591): what it answers, whom it believes, and which redirect URIs it takes."""
