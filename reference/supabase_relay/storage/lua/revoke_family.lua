-- KEYS: family. Its hash outlives all that was issued from it, so the mark lasts as long as it is needed.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSET', KEYS[1], 'revoked', '1')
return {'revoked'}
