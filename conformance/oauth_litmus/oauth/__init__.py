"""OAuth's own objects: clients, authorization requests and responses, codes, tokens, JWTs."""
