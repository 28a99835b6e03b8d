"""Instances behind one issuer know the same: what one issued or ended, another takes or refuses."""
