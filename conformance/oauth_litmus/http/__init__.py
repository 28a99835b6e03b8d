"""HTTP as the suite sends and reads it: exchanges, their record, and the hosts that may see secrets."""
