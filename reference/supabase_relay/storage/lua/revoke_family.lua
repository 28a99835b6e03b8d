-- KEYS: family. The store keeps this hash longer than any token of the family, so the mark lasts long enough.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSET', KEYS[1], 'revoked', '1')
return {'revoked'}
